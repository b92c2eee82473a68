// Reader reads a registry, from a folder or over HTTP, with golang.org/x/mod/sumdb alone: the code by
// which the go command itself checks its transparency log. It shares nothing with this project but the
// paths, and prints what it checked as one line of JSON.
//
//	reader <vkey> <folder or URL> [<folder of .tlog-proof files>]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type counts struct {
	Size        int64 `json:"size"`
	Tiles       int   `json:"tiles"`
	Records     int   `json:"records"`
	Receipts    int   `json:"receipts"`
	Consistency int   `json:"consistency"`
	Checkpoints int   `json:"checkpoints"`
	Proofs      int   `json:"proofs"`
}

type reader struct {
	base     string
	verifier note.Verifier
	tree     tlog.Tree
	hashes   []tlog.Hash // stored hashes, in tlog's order, made from the entries
	done     counts
}

func main() {
	if len(os.Args) < 3 {
		fatal(errors.New("usage: reader <vkey> <folder or URL> [<folder of .tlog-proof files>]"))
	}
	verifier, err := note.NewVerifier(os.Args[1])
	fatal(err)
	r := &reader{base: strings.TrimSuffix(os.Args[2], "/"), verifier: verifier}
	fatal(r.run())
	if len(os.Args) > 3 {
		fatal(r.checkProofs(os.Args[3]))
	}
	fatal(json.NewEncoder(os.Stdout).Encode(r.done))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

func (r *reader) run() error {
	data, err := r.fetch("checkpoint")
	if err != nil {
		return err
	}
	if r.tree, err = r.openCheckpoint(data); err != nil {
		return err
	}
	r.done.Size = r.tree.N
	for _, step := range []func() error{r.readEntries, r.checkTiles, r.checkRecords, r.checkReceipts, r.walkChain} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) fetch(path string) ([]byte, error) {
	if !strings.HasPrefix(r.base, "http") {
		return os.ReadFile(filepath.Join(r.base, filepath.FromSlash(path)))
	}
	response, err := http.Get(r.base + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

// openCheckpoint verifies a signed C2SP tlog-checkpoint and reads its three lines strictly.
func (r *reader) openCheckpoint(data []byte) (tlog.Tree, error) {
	opened, err := note.Open(data, note.VerifierList(r.verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != r.verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: found text %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("checkpoint: found size %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("checkpoint: found root %q", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// memory reads stored hashes that were made from the entries.
func (r *reader) memory(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = r.hashes[index]
	}
	return found, nil
}

// readEntries reads every entry bundle to its last byte, and recomputes the root from the entries.
func (r *reader) readEntries() error {
	for n := int64(0); n<<height < r.tree.N; n++ {
		width := min(r.tree.N-n<<height, 1<<height)
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		data, err := r.fetch("tile/entries/" + strings.TrimPrefix(c2spPath(tile), "tile/0/"))
		if err != nil {
			return err
		}
		for i := range width {
			if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
				return fmt.Errorf("entry bundle %d ends within entry %d", n, i)
			}
			length := int(data[0])<<8 + int(data[1])
			stored, err := tlog.StoredHashes(n<<height+i, data[2:2+length], tlog.HashReaderFunc(r.memory))
			if err != nil {
				return err
			}
			r.hashes = append(r.hashes, stored...)
			data = data[2+length:]
		}
		if len(data) != 0 {
			return fmt.Errorf("entry bundle %d has %d bytes too many", n, len(data))
		}
	}
	root, err := tlog.TreeHash(r.tree.N, tlog.HashReaderFunc(r.memory))
	if err != nil || root != r.tree.Hash {
		return fmt.Errorf("the entries make the root %v, the checkpoint says %v: %w", root, r.tree.Hash, err)
	}
	return nil
}

// c2spPath is a hash tile's path in C2SP tlog-tiles, whose height is fixed: tlog's is tile/8/<L>/<N>.
func c2spPath(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
}

// Height, ReadTiles and SaveTiles make reader a tlog.TileReader over the public paths.
func (r *reader) Height() int { return height }

func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := r.fetch(c2spPath(tile))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTiles compares every tile that a tree of this size has with what the entries make.
func (r *reader) checkTiles() error {
	for _, tile := range tlog.NewTiles(height, 0, r.tree.N) {
		wanted, err := tlog.ReadTileData(tile, tlog.HashReaderFunc(r.memory))
		if err != nil {
			return err
		}
		found, err := r.fetch(c2spPath(tile))
		if err != nil {
			return err
		}
		if !bytes.Equal(found, wanted) {
			return fmt.Errorf("%s is not what the entries make", c2spPath(tile))
		}
		r.done.Tiles++
	}
	return nil
}

// checkRecords proves records through tiles alone, as a client without the entries would.
func (r *reader) checkRecords() error {
	tiles := tlog.TileHashReader(r.tree, r)
	step := max(1, r.tree.N/16)
	for n := int64(0); n < r.tree.N; n += step {
		proof, err := tlog.ProveRecord(r.tree.N, n, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, r.tree.N, r.tree.Hash, n, r.leaf(n)); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if n > 0 {
			proof, err := tlog.ProveTree(r.tree.N, n, tiles)
			if err != nil {
				return err
			}
			old, err := tlog.TreeHash(n, tlog.HashReaderFunc(r.memory))
			if err != nil {
				return err
			}
			if err := tlog.CheckTree(proof, r.tree.N, r.tree.Hash, n, old); err != nil {
				return fmt.Errorf("tree %d: %w", n, err)
			}
		}
		r.done.Records++
	}
	return nil
}

func (r *reader) leaf(n int64) tlog.Hash { return r.hashes[tlog.StoredHashIndex(0, n)] }

func (r *reader) root(n int64) (tlog.Hash, error) {
	return tlog.TreeHash(n, tlog.HashReaderFunc(r.memory))
}

// checkReceipts checks the stored registry receipt of every entry with CheckRecord and note.Open.
func (r *reader) checkReceipts() error {
	for n := range r.tree.N {
		leaf := r.leaf(n)
		var receipt struct {
			Index int64    `json:"leaf_index"`
			Path  []string `json:"audit_path"`
			Note  string   `json:"note"`
		}
		name := "v1/proofs/inclusion/" + base64.RawURLEncoding.EncodeToString(leaf[:]) + ".json"
		if err := r.fetchJSON(name, &receipt); err != nil {
			return err
		}
		tree, err := r.openCheckpoint([]byte(receipt.Note))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path, err := parseHashes(receipt.Path, base64.RawURLEncoding)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if root, err := r.root(tree.N); err != nil || root != tree.Hash || receipt.Index != n {
			return fmt.Errorf("%s: index %d of a tree of size %d that is not this log's", name, receipt.Index, tree.N)
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.done.Receipts++
	}
	return nil
}

func (r *reader) fetchJSON(name string, value any) error {
	data, err := r.fetch(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func parseHashes(texts []string, encoding *base64.Encoding) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		data, err := encoding.Strict().DecodeString(text)
		if err != nil || len(data) != tlog.HashSize {
			return nil, fmt.Errorf("%q is not a hash", text)
		}
		found[i] = tlog.Hash(data)
	}
	return found, nil
}

type checkpoint struct {
	Sequence int64   `json:"sequence"`
	Size     int64   `json:"tree_size"`
	Root     string  `json:"root_hash"`
	Previous *string `json:"prev_checkpoint_hash"`
}

// walkChain goes from latest.json to checkpoint 0 and checks each stored consistency proof on the way.
func (r *reader) walkChain() error {
	var now checkpoint
	if err := r.fetchJSON("v1/checkpoints/latest.json", &now); err != nil {
		return err
	}
	for {
		roots, err := parseHashes([]string{now.Root}, base64.RawURLEncoding)
		if err != nil {
			return err
		}
		if root, err := r.root(now.Size); err != nil || root != roots[0] {
			return fmt.Errorf("checkpoint %d: its root is not the entries'", now.Sequence)
		}
		r.done.Checkpoints++
		if now.Previous == nil {
			return nil
		}
		var before checkpoint
		if err := r.fetchJSON("v1/checkpoints/"+*now.Previous+".json", &before); err != nil {
			return err
		}
		if before.Size != now.Size {
			if err := r.checkConsistency(before.Size, now.Size); err != nil {
				return err
			}
		}
		now = before
	}
}

func (r *reader) checkConsistency(from, to int64) error {
	name := fmt.Sprintf("v1/proofs/consistency/%d-%d.json", from, to)
	var answer struct {
		Proof []string `json:"proof"`
	}
	if err := r.fetchJSON(name, &answer); err != nil {
		return err
	}
	proof, err := parseHashes(answer.Proof, base64.RawURLEncoding)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if from == 0 { // nothing to prove, and tlog knows no such tree
		if len(proof) != 0 {
			return fmt.Errorf("%s: a proof from the empty tree", name)
		}
		return nil
	}
	old, err := r.root(from)
	if err != nil {
		return err
	}
	root, err := r.root(to)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, to, root, from, old); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.done.Consistency++
	return nil
}

// checkProofs checks exported C2SP tlog-proofs: index, path and signed checkpoint in one file.
func (r *reader) checkProofs(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := r.checkProof(string(data)); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		r.done.Proofs++
	}
	return nil
}

func (r *reader) checkProof(text string) error {
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil || index < 0 || index >= r.tree.N {
		return fmt.Errorf("found %q", lines[1])
	}
	path, err := parseHashes(lines[2:], base64.StdEncoding)
	if err != nil {
		return err
	}
	tree, err := r.openCheckpoint([]byte(signed))
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, r.leaf(index))
}
