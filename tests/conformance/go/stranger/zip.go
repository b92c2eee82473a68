// ZIPs: the frame, both headers of each entry, their data (REG-1.0 section 6.8). What breaks a rule is refused.
package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sort"
)

const (
	localSign      = "PK\x03\x04"
	centralSign    = "PK\x01\x02"
	endSign        = "PK\x05\x06"
	endSign64      = "PK\x06\x06"
	locatorSign    = "PK\x06\x07"
	descriptorSign = "PK\x07\x08"

	endSize     = 22
	longestTail = 65535 + endSize

	describedBit = 1 << 3 // of the flags: sizes and CRC-32 follow the data
	allowedFlags = 1<<1 | 1<<2 | describedBit | 1<<11

	typeFile   = 8 // of the external attributes, bits 28 to 31
	typeFolder = 4
)

// fields reads numbers, little-endian, and refuses what ends too early.
type fields struct{ rest []byte }

func (f *fields) take(count uint64) []byte {
	refuseIf(uint64(len(f.rest)) < count)
	taken := f.rest[:count]
	f.rest = f.rest[count:]
	return taken
}

func (f *fields) sign(text string) { refuseIf(string(f.take(4)) != text) }

func (f *fields) number(width uint64) uint64 {
	var raw [8]byte
	copy(raw[:], f.take(width))
	return binary.LittleEndian.Uint64(raw[:])
}

func (f *fields) numbers(widths ...uint64) []uint64 {
	var found []uint64
	for _, width := range widths {
		found = append(found, f.number(width))
	}
	return found
}

func allOnes(width uint64) uint64 { return 1<<(8*width) - 1 }

// entry is what the headers say of a file or folder; entry.data is its data as it stands.
type entry struct {
	name       string // of the headers
	path       string // of section 6.8, names; of a folder without the slash
	isFolder   bool
	isRoot     bool // the entry `./`, which is left out
	madeOn     uint64
	flags      uint64
	method     uint64
	crc        uint64
	size       uint64
	packed     uint64
	offset     uint64
	attributes uint64
	data       []byte
}

// frame is where the directory lies, and how many entries it has.
type frame struct{ offset, size, count uint64 }

// frameBefore reads an end record and what may belong to it (frame, rules 2 and 3).
func frameBefore(data []byte, at int) frame {
	f := &fields{data[at:]}
	f.sign(endSign)
	widths := []uint64{2, 2, 2, 2, 4, 4}
	values, end := f.numbers(widths...), uint64(at)
	if at >= 20 && string(data[at-20:at-16]) == locatorSign {
		refuseIf(at < 76)
		locator := (&fields{data[at-16:]}).numbers(4, 8, 4)
		end = uint64(at) - 76
		refuseIf(locator[0] != 0 || locator[1] != end || locator[2] != 1)
		f = &fields{data[end:]}
		f.sign(endSign64)
		refuseIf(f.number(8) != 44)
		f.take(4) // versions
		wide := f.numbers(4, 4, 8, 8, 8, 8)
		for i, value := range wide {
			refuseIf(value > maxInteger || values[i] != value && values[i] != allOnes(widths[i]))
		}
		values = wide
	}
	refuseIf(values[0] != 0 || values[1] != 0 || values[2] != values[3] || values[4]+values[5] != end)
	return frame{offset: values[5], size: values[4], count: values[3]}
}

// readFrame also tells a ZIP that was cut from one that something follows.
func readFrame(data []byte) frame {
	last := len(data) - endSize
	if last >= 0 && string(data[last:last+4]) == endSign {
		refuseIf(data[last+20] != 0 || data[last+21] != 0)
		return frameBefore(data, last)
	}
	for at := max(0, len(data)-longestTail); at < last; at++ {
		if string(data[at:at+4]) == endSign && reading("wrong", func() { frameBefore(data, at) }) == "" {
			refuse()
		}
	}
	panic(about("container-incomplete"))
}

// readEntries is frame, rules 4 and 5, and all headers. Entries are in order of the directory.
func readEntries(data []byte, where frame) []*entry {
	f := &fields{data[where.offset : where.offset+where.size]}
	var entries []*entry
	for range where.count {
		entries = append(entries, readCentral(f))
	}
	refuseIf(len(f.rest) > 0 || len(entries) == 0)
	placed := append([]*entry{}, entries...)
	sort.SliceStable(placed, func(i, j int) bool { return placed[i].offset < placed[j].offset })
	at := uint64(0)
	for i, e := range placed {
		next := where.offset
		if i+1 < len(placed) {
			next = placed[i+1].offset
		}
		refuseIf(e.offset != at || next < at || next > where.offset)
		readLocal(&fields{data[at:next]}, e)
		at = next
	}
	return entries
}

func readCentral(f *fields) *entry {
	f.sign(centralSign)
	v := f.numbers(2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4)
	e := &entry{madeOn: v[0] >> 8, flags: v[2], method: v[3], crc: v[6], attributes: v[14]}
	e.name = string(f.take(v[9]))
	x := readExtra(f.take(v[10]), e.name)
	refuseIf(v[11] != 0) // comment
	stated := []uint64{v[8], v[7], v[15], v[12]}
	widths := []uint64{4, 4, 4, 2}
	var missing [4]bool
	for i, value := range stated {
		missing[i] = value == allOnes(widths[i])
	}
	held := x.values(missing)
	for i := range stated {
		if missing[i] {
			stated[i] = *held[i]
		}
		refuseIf(held[i] != nil && *held[i] != stated[i])
	}
	e.size, e.packed, e.offset = stated[0], stated[1], stated[2]
	refuseIf(stated[3] != 0)
	e.checkForm()
	return e
}

// checkForm is rules 1, 2 and 8 of headers.
func (e *entry) checkForm() {
	refuseIf(e.method != 0 && e.method != 8 || e.flags&^allowedFlags != 0)
	refuseIf(e.method == 0 && e.size != e.packed)
	kind := e.attributes >> 28
	refuseIf(kind != 0 && kind != typeFile && kind != typeFolder || e.attributes&(1<<3) != 0)
}

// readLocal reads all that belongs to an entry, of which nothing may be left over.
func readLocal(f *fields, e *entry) {
	f.sign(localSign)
	v := f.numbers(2, 2, 2, 2, 2, 4, 4, 4, 2, 2)
	refuseIf(v[1] != e.flags || v[2] != e.method || string(f.take(v[8])) != e.name)
	x := readExtra(f.take(v[9]), e.name)
	described := e.flags&describedBit != 0
	agrees := func(value, wanted uint64) bool { return value == wanted || described && value == 0 }
	unsaid := func(value uint64) bool { return described && !x.wide && value == allOnes(4) }
	refuseIf(!agrees(v[5], e.crc) && !unsaid(v[5]))
	stated, wanted := []uint64{v[7], v[6]}, []uint64{e.size, e.packed}
	var missing [4]bool
	for i, value := range stated {
		missing[i] = value == allOnes(4) && !unsaid(value)
	}
	held := x.values(missing)
	for i, value := range stated {
		refuseIf(!missing[i] && !agrees(value, wanted[i]) && !unsaid(value))
		refuseIf(held[i] != nil && !agrees(*held[i], wanted[i]))
	}
	refuseIf(held[2] != nil && !agrees(*held[2], e.offset) || held[3] != nil && *held[3] != 0)
	e.data = f.take(e.packed)
	if described {
		readDescriptor(f, e, x.wide && len(x.wideData) > 0)
	}
	refuseIf(len(f.rest) > 0)
}

// readDescriptor is rule 7 of headers: the form follows from the length.
func readDescriptor(f *fields, e *entry, mustBeWide bool) {
	length, width := len(f.rest), uint64(4)
	if length == 16 || length == 24 {
		f.sign(descriptorSign)
	}
	if length == 20 || length == 24 {
		width = 8
	}
	refuseIf(mustBeWide && width == 4)
	v := f.numbers(4, width, width)
	refuseIf(v[0] != e.crc || v[1] != e.packed || v[2] != e.size)
}

// content is an entry's data, inflated if need be: just as much as the headers state.
func (e *entry) content() []byte {
	data := e.data
	if e.method == 8 {
		rest := bytes.NewReader(e.data) // flate takes no more bytes of a ByteReader than it needs
		inflated, err := io.ReadAll(io.LimitReader(flate.NewReader(rest), int64(e.size)+1))
		refuseIf(err != nil || rest.Len() > 0)
		data = inflated
	}
	refuseIf(uint64(len(data)) != e.size || uint64(crc32.ChecksumIEEE(data)) != e.crc)
	return data
}
