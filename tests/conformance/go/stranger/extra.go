// The extra fields of a ZIP's headers (REG-1.0 section 6.8, headers, rules 3 to 5).
package main

import "hash/crc32"

const (
	wideField = 0x0001 // ZIP64
	nameField = 0x7075 // the name in UTF-8
)

var neverFields = map[uint64]bool{0x6375: true, 0x6c78: true, 0x756e: true, 0x9901: true}

// extra is what matters of a header's extra fields.
type extra struct {
	wide     bool // there is a ZIP64 field
	wideData []byte
}

func readExtra(data []byte, name string) *extra {
	x, named := &extra{}, false
	for f := (&fields{data}); len(f.rest) > 0; {
		number := f.number(2)
		content := f.take(f.number(2))
		refuseIf(neverFields[number])
		switch number {
		case wideField:
			refuseIf(x.wide)
			x.wide, x.wideData = true, content
		case nameField:
			refuseIf(named)
			named = true
			checkName(&fields{content}, name)
		}
	}
	return x
}

// checkName: the field names the header's own name, whatever its encoding.
func checkName(f *fields, name string) {
	refuseIf(f.number(1) != 1 || f.number(4) != uint64(crc32.ChecksumIEEE([]byte(name))))
	refuseIf(withoutHighBytes(string(f.rest)) != withoutHighBytes(name))
}

// withoutHighBytes has one byte for each run of bytes from 0x80.
func withoutHighBytes(name string) string {
	out := []byte{}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < 0x80 {
			out = append(out, c)
		} else if i == 0 || name[i-1] < 0x80 {
			out = append(out, 0x80)
		}
	}
	return string(out)
}

// values are those of the ZIP64 field: size, compressed size, offset, disk. Those that are missing in the header
// must be there.
func (x *extra) values(missing [4]bool) (held [4]*uint64) {
	var exactly, first []int
	for i := range missing {
		if missing[i] {
			exactly = append(exactly, i)
		}
	}
	if !x.wide {
		refuseIf(len(exactly) > 0)
		return held
	}
	places := exactly
	for i := 0; i < 4 && widthOf(places) != len(x.wideData); i++ {
		first = append(first, i)
		places = first
	}
	refuseIf(widthOf(places) != len(x.wideData))
	f := &fields{x.wideData}
	for _, i := range places {
		value := f.number(uint64(widthOf([]int{i})))
		refuseIf(value > maxInteger)
		held[i] = &value
	}
	for i := range missing {
		refuseIf(missing[i] && held[i] == nil)
	}
	return held
}

// widthOf is how many bytes these values take.
func widthOf(places []int) int {
	width := 0
	for _, i := range places {
		width += 8
		if i == 3 {
			width -= 4
		}
	}
	return width
}
