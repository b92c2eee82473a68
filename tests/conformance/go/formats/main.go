// Formats reads exported tlog-proofs with github.com/transparency-dev/formats: a second opinion on the
// spelling of proofs, checkpoints and witness cosignatures. Prints the number of files as JSON.
//
//	formats <log vkey> <folder of .tlog-proof files> [<witness vkey>...]
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "formats:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("usage: formats <log vkey> <folder of .tlog-proof files> [<witness vkey>...]")
	}
	own, err := note.NewVerifier(arguments[0])
	if err != nil {
		return err
	}
	var witnesses []note.Verifier
	for _, vkey := range arguments[2:] {
		witness, err := formats.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return fmt.Errorf("%s: %w", vkey, err)
		}
		witnesses = append(witnesses, witness)
	}
	files, err := filepath.Glob(filepath.Join(arguments[1], "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := check(file, own, witnesses); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	fmt.Printf("{\"proofs\":%d}\n", len(files))
	return nil
}

// check reads one proof, writes it again, and opens its checkpoint with the log's and all witnesses' keys.
func check(file string, own note.Verifier, witnesses []note.Verifier) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var parsed proof.TLogProof
	if err := parsed.Unmarshal(data); err != nil {
		return err
	}
	if !bytes.Equal(parsed.Marshal(), data) {
		return errors.New("written again it has other bytes")
	}
	checkpoint, rest, opened, err := log.ParseCheckpoint(parsed.Checkpoint, own.Name(), own, witnesses...)
	if err != nil {
		return err
	}
	if len(rest) != 0 || parsed.Index >= checkpoint.Size || !bytes.Equal(checkpoint.Marshal(), []byte(opened.Text)) {
		return errors.New("the checkpoint says more, or less, than origin, size and root")
	}
	if len(opened.Sigs) != 1+len(witnesses) || len(opened.UnverifiedSigs) != 0 {
		return fmt.Errorf("%d lines verify and %d do not, wanted %d", len(opened.Sigs), len(opened.UnverifiedSigs), 1+len(witnesses))
	}
	return nil
}
