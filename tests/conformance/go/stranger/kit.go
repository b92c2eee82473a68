// Kits: the canonical ZIP, and how a file or a folder is opened (REG-1.0 sections 6.5 and 12.2).
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"unicode/utf8"
)

// failure is a reason word and the kit members that it is about.
type failure struct {
	Reason string   `json:"reason"`
	Files  []string `json:"files"`

	ofOther bool // the kit is another registry's than the trust root
}

func about(word string, files ...string) *failure {
	f := &failure{Reason: word, Files: []string{}}
	for _, name := range files {
		f.Files = append(f.Files, shown(name))
	}
	return f
}

// shown has six characters for each byte that is part of no UTF-8 character (section 12.7).
func shown(name string) string {
	out := ""
	for i, c := range name {
		_, size := utf8.DecodeRuneInString(name[i:])
		if c == utf8.RuneError && size == 1 {
			out += fmt.Sprintf(`\udc%02x`, name[i])
		} else {
			out += string(c)
		}
	}
	return out
}

// opening runs a reader of a kit. A refusal without a word is container-ambiguous.
func opening(read func() *kit) (k *kit, wrong *failure) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			k, wrong = nil, about("container-ambiguous")
		case *failure:
			k, wrong = nil, r
		default:
			panic(r)
		}
	}()
	return read(), nil
}

const date = 0x2821 // 2000-01-01

func localHeader(name string, size, crc uint64) []byte {
	out := []byte(localSign)
	out = le(out, 2, 20, 0, 0, 0, date)
	out = le(out, 4, crc, size, size)
	out = le(out, 2, uint64(len(name)), 0)
	return append(out, name...)
}

func centralHeader(name string, size, crc, offset uint64) []byte {
	out := []byte(centralSign)
	out = le(out, 2, 20, 20, 0, 0, 0, date)
	out = le(out, 4, crc, size, size)
	out = le(out, 2, uint64(len(name)), 0, 0, 0, 0)
	out = le(out, 4, 0, offset)
	return append(out, name...)
}

func endRecord(count, size, offset uint64) []byte {
	out := []byte(endSign)
	out = le(out, 2, 0, 0, count, count)
	out = le(out, 4, size, offset)
	return le(out, 2, 0)
}

func le(out []byte, width int, values ...uint64) []byte {
	for _, value := range values {
		var raw [8]byte
		binary.LittleEndian.PutUint64(raw[:], value)
		out = append(out, raw[:width]...)
	}
	return out
}

// packer gives the bytes of a canonical ZIP to a writer, as members are added in order.
type packer struct {
	to        io.Writer
	at, count uint64
	directory []byte
}

func (p *packer) add(name string, crc uint64, data []byte) {
	size := uint64(len(data))
	header := localHeader(name, size, crc)
	p.directory = append(p.directory, centralHeader(name, size, crc, p.at)...)
	p.at, p.count = p.at+uint64(len(header))+size, p.count+1
	p.to.Write(header)
	p.to.Write(data)
}

func (p *packer) end() {
	p.to.Write(p.directory)
	p.to.Write(endRecord(p.count, uint64(len(p.directory)), p.at))
}

// comparison takes what a packer writes and tells whether it is these bytes.
type comparison struct {
	rest   []byte
	differ bool
}

func (c *comparison) Write(data []byte) (int, error) {
	c.differ = c.differ || !bytes.HasPrefix(c.rest, data)
	if !c.differ {
		c.rest = c.rest[len(data):]
	}
	return len(data), nil
}

// isCanonical: the ZIP is, byte for byte, the canonical one of its files. What is not read has the CRC-32 stated.
func isCanonical(data []byte, entries []*entry) bool {
	found, last := &comparison{rest: data}, ""
	p := packer{to: found}
	for _, e := range entries {
		if e.isFolder || e.method != 0 || e.path <= last || !utf8.ValidString(e.path) {
			return false
		}
		p.add(e.path, e.crc, e.data)
		last = e.path
	}
	p.end()
	return !found.differ && len(found.rest) == 0
}

// sealedDigest is the SHA-256 of the canonical ZIP of all members but the registry receipt.
func (k *kit) sealedDigest() string {
	sum := sha256.New()
	p := packer{to: sum}
	for _, name := range k.names {
		if name != registryFile {
			data := k.members[name].data
			p.add(name, uint64(crc32.ChecksumIEEE(data)), data)
		}
	}
	p.end()
	return string(sum.Sum(nil))
}

// readZip is section 12.2, "a file", in its order.
func readZip(data []byte) *kit {
	if !bytes.HasPrefix(data, []byte(localSign)) {
		panic(about("input-not-a-kit"))
	}
	if len(data) > maxZip {
		overLimit()
	}
	where := readFrame(data)
	if where.count > maxEntries || where.size > maxDirectory {
		overLimit()
	}
	entries := readEntries(data, where)
	readNames(entries)
	var files []source
	for _, e := range entries {
		e.checkKind()
		if e.isFolder {
			e.content()
		} else {
			files = append(files, source{e.path, e.size, e.content})
		}
	}
	k := takeContents(files)
	k.repacked = k.stripped || len(k.ignored) > 0 || !isCanonical(data, entries)
	return k
}

func unreadable(files ...string) {
	panic(about("input-unreadable", files...))
}

func readFolder(root string) *kit {
	root, err := filepath.EvalSymlinks(root)
	var files []source
	var links []string
	count := -1 // the folder itself
	each := func(place string, found fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if count++; found.IsDir() {
			return nil
		}
		name, _ := filepath.Rel(root, place)
		info, err := found.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			links = append(links, name)
		}
		files = append(files, source{name, uint64(info.Size()), func() []byte { return readFile(place, name, info) }})
		return nil
	}
	if err != nil || filepath.WalkDir(root, each) != nil {
		unreadable()
	}
	if count > maxEntries {
		overLimit()
	}
	if len(links) > 0 {
		sort.Strings(links)
		panic(about("container-link", links[0]))
	}
	return takeContents(files)
}

// readFile reads a file that was seen before, follows no link and waits for no pipe.
func readFile(place, name string, seen fs.FileInfo) []byte {
	opened, err := os.OpenFile(place, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		panic(about("container-link", name))
	}
	if err != nil {
		unreadable()
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		unreadable()
	}
	if !info.Mode().IsRegular() {
		panic(about("container-link", name))
	}
	data, err := io.ReadAll(io.LimitReader(opened, seen.Size()+1))
	if err != nil {
		unreadable()
	}
	if !os.SameFile(info, seen) || int64(len(data)) != seen.Size() {
		unreadable(name)
	}
	return data
}

// readPlace is a kit by its path, which may be a link.
func readPlace(place string) *kit {
	info, err := os.Stat(place)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		unreadable()
	}
	if info.IsDir() {
		return readFolder(place)
	}
	opened, err := os.Open(place)
	if err != nil {
		unreadable()
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxZip+1))
	if err != nil {
		unreadable()
	}
	return readZip(data)
}
