// Kits: the canonical ZIP, folders, limits (REG-1.0 section 6 and 12.2).
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// failure is a reason word and the kit members that it is about.
type failure struct {
	Reason string   `json:"reason"`
	Files  []string `json:"files"`
}

type member struct {
	data []byte
	hash string
}

type kit struct {
	members map[string]member
	names   []string // in byte order
	ignored bool
	records int64
	others  int64
}

func (k *kit) disclosed() bool {
	_, there := k.members[disclosureFile]
	return there
}

// belongs: whether a kit, or a disclosed record, can have such a member.
func (k *kit) belongs(name string) bool {
	if k.disclosed() {
		return isDisclosedMember(name)
	}
	return isMember(name)
}

// add holds a member against the limits, then takes its content.
func (k *kit) add(name string, size int64, content func() ([]byte, *failure)) *failure {
	over := len(k.members) >= 1015
	if isRecord(name) {
		k.records += size
		over = over || k.records > 100<<20
	} else {
		k.others += size
		over = over || size > 16<<20 || k.others > 256<<20
	}
	if over {
		return &failure{"container-limit-exceeded", []string{name}}
	}
	data, wrong := content()
	if wrong == nil {
		k.members[name] = member{data, sha(data)}
		k.names = append(k.names, name)
	}
	return wrong
}

func localHeader(name string, size, crc uint32) []byte {
	out := []byte("PK\x03\x04")
	out = le(out, 2, 20, 0, 0, 0, 0x21)
	out = le(out, 4, uint64(crc), uint64(size), uint64(size))
	out = le(out, 2, uint64(len(name)), 0)
	return append(out, name...)
}

func centralHeader(name string, size, crc, offset uint32) []byte {
	out := []byte("PK\x01\x02")
	out = le(out, 2, 20, 20, 0, 0, 0, 0x21)
	out = le(out, 4, uint64(crc), uint64(size), uint64(size))
	out = le(out, 2, uint64(len(name)), 0, 0, 0, 0)
	out = le(out, 4, 0, uint64(offset))
	return append(out, name...)
}

func endRecord(count, size, offset int) []byte {
	out := []byte("PK\x05\x06")
	out = le(out, 2, 0, 0, uint64(count), uint64(count))
	out = le(out, 4, uint64(size), uint64(offset))
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

func notCanonical() *failure { return &failure{"container-not-canonical", []string{}} }

func readZip(data []byte) (*kit, *failure) {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return nil, &failure{"input-not-a-kit", []string{}}
	}
	k := &kit{members: map[string]member{}}
	var directory []byte
	at, last := 0, ""
	for bytes.HasPrefix(data[at:], []byte("PK\x03\x04")) {
		if at+30 > len(data) {
			return nil, notCanonical()
		}
		crc := binary.LittleEndian.Uint32(data[at+14:])
		size := binary.LittleEndian.Uint32(data[at+22:])
		length := int(binary.LittleEndian.Uint16(data[at+26:]))
		if length < 1 || length > 128 || at+30+length > len(data) {
			return nil, notCanonical()
		}
		name := string(data[at+30 : at+30+length])
		for i := 0; i < length; i++ {
			if name[i] < 0x20 || name[i] > 0x7e {
				return nil, notCanonical()
			}
		}
		header := localHeader(name, size, crc)
		if !bytes.HasPrefix(data[at:], header) || name <= last {
			return nil, notCanonical()
		}
		start := at + len(header)
		wrong := k.add(name, int64(size), func() ([]byte, *failure) {
			if int64(start)+int64(size) > int64(len(data)) {
				return nil, notCanonical()
			}
			content := data[start : start+int(size)]
			if crc32.ChecksumIEEE(content) != crc {
				return nil, notCanonical()
			}
			return content, nil
		})
		if wrong != nil {
			return nil, wrong
		}
		directory = append(directory, centralHeader(name, size, crc, uint32(at))...)
		at, last = start+int(size), name
	}
	rest := append(directory, endRecord(len(k.names), len(directory), at)...)
	if !bytes.Equal(data[at:], rest) {
		return nil, notCanonical()
	}
	return k, nil
}

// sealedDigest is the SHA-256 of the canonical ZIP of all members but the registry receipt.
func (k *kit) sealedDigest() string {
	var out, directory []byte
	count := 0
	for _, name := range k.names {
		if name == registryFile {
			continue
		}
		data := k.members[name].data
		crc := crc32.ChecksumIEEE(data)
		directory = append(directory, centralHeader(name, uint32(len(data)), crc, uint32(len(out)))...)
		out = append(append(out, localHeader(name, uint32(len(data)), crc)...), data...)
		count++
	}
	end := endRecord(count, len(directory), len(out))
	return sha(append(append(out, directory...), end...))
}

func ignorable(name string, size int64) bool {
	base := path.Base(name)
	litter := base == ".DS_Store" || base == "Thumbs.db" || base == "desktop.ini" || strings.HasPrefix(base, "._")
	return litter && size <= 65536
}

func readFolder(root string) (*kit, *failure) {
	sizes, names, links := map[string]int64{}, []string{}, []string{}
	err := filepath.WalkDir(root, func(place string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, place)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			links = append(links, name)
		}
		names, sizes[name] = append(names, name), info.Size()
		return nil
	})
	if err != nil {
		return nil, &failure{"input-unreadable", []string{}}
	}
	if len(links) > 0 {
		sort.Strings(links)
		return nil, &failure{"container-link", links[:1]}
	}
	k := &kit{members: map[string]member{}}
	sort.Strings(names)
	for _, name := range names {
		if ignorable(name, sizes[name]) {
			k.ignored = true
			continue
		}
		wrong := k.add(name, sizes[name], func() ([]byte, *failure) {
			data, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				return nil, &failure{"input-unreadable", []string{}}
			}
			return data, nil
		})
		if wrong != nil {
			return nil, wrong
		}
	}
	return k, nil
}

func openKit(place string) (*kit, *failure) {
	info, err := os.Stat(place)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return nil, &failure{"input-unreadable", []string{}}
	}
	if info.IsDir() {
		return readFolder(place)
	}
	data, err := os.ReadFile(place)
	if err != nil || !info.Mode().IsRegular() {
		return nil, &failure{"input-unreadable", []string{}}
	}
	return readZip(data)
}
