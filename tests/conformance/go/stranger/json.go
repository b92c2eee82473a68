// Canonical JSON (REG-1.0 section 2.4): a parser of just this grammar, and the formatter.
package main

import (
	"bytes"
	"sort"
	"strconv"
	"unicode/utf8"
)

const (
	maxInteger  = 1<<53 - 1
	maxDocument = 16 << 20
	maxEntry    = 65535
	maxDepth    = 16
)

// object is a JSON object. Values are nil, bool, int64, string, []any or object.
type object map[string]any

// fault is what a reader panics with: a reason word, or "" for the document's own.
type fault struct{ word string }

func refuse() { panic(fault{}) }

func refuseIf(wrong bool) {
	if wrong {
		refuse()
	}
}

// reading runs a reader; a refusal gives its word, or the document's.
func reading(word string, read func()) (found string) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(fault)
			if !ok {
				panic(r)
			}
			if found = f.word; found == "" {
				found = word
			}
		}
	}()
	read()
	return ""
}

type parser struct {
	data []byte
	at   int
}

// parseJSON reads bytes of at most limit that are canonical JSON, or refuses.
func parseJSON(data []byte, limit int) any {
	refuseIf(len(data) > limit || !utf8.Valid(data))
	p := &parser{data: data}
	value := p.value(1)
	refuseIf(p.at != len(data))
	refuseIf(!bytes.Equal(formatJSON(value), data)) // section 2.4, rule 7
	return value
}

func (p *parser) peek() byte {
	refuseIf(p.at >= len(p.data))
	return p.data[p.at]
}

func (p *parser) skip(text string) {
	refuseIf(!bytes.HasPrefix(p.data[p.at:], []byte(text)))
	p.at += len(text)
}

func (p *parser) value(depth int) any {
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.text()
	case c == 'n':
		p.skip("null")
		return nil
	case c == 't':
		p.skip("true")
		return true
	case c == 'f':
		p.skip("false")
		return false
	}
	return p.integer()
}

func (p *parser) object(depth int) object {
	refuseIf(depth > maxDepth)
	found := object{}
	p.skip("{")
	for p.peek() != '}' {
		if len(found) > 0 {
			p.skip(",")
		}
		name := p.text()
		for i := 0; i < len(name); i++ {
			refuseIf(name[i] >= 0x80)
		}
		_, twice := found[name]
		refuseIf(twice)
		p.skip(":")
		found[name] = p.value(depth + 1)
	}
	p.skip("}")
	return found
}

func (p *parser) array(depth int) []any {
	refuseIf(depth > maxDepth)
	found := []any{}
	p.skip("[")
	for p.peek() != ']' {
		if len(found) > 0 {
			p.skip(",")
		}
		found = append(found, p.value(depth+1))
	}
	p.skip("]")
	return found
}

func (p *parser) integer() int64 {
	start := p.at
	for p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '9' {
		p.at++
	}
	text := string(p.data[start:p.at])
	refuseIf(text == "" || len(text) > 16 || len(text) > 1 && text[0] == '0')
	number, err := strconv.ParseInt(text, 10, 64)
	refuseIf(err != nil || number > maxInteger)
	return number
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', 'b': 8, 't': 9, 'n': 10, 'f': 12, 'r': 13}

// text takes only the escapes that the canonical form has: a lone surrogate has none.
func (p *parser) text() string {
	p.skip(`"`)
	var out []byte
	for {
		c := p.peek()
		p.at++
		switch {
		case c == '"':
			return string(out)
		case c < 0x20:
			refuse()
		case c != '\\':
			out = append(out, c)
		default:
			e := p.peek()
			p.at++
			if e == 'u' {
				refuseIf(p.at+4 > len(p.data))
				number, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 16)
				refuseIf(err != nil || number >= 0x20)
				out = append(out, byte(number))
				p.at += 4
			} else {
				plain, known := escapes[e]
				refuseIf(!known)
				out = append(out, plain)
			}
		}
	}
}

// formatJSON is JCS(value).
func formatJSON(value any) []byte {
	var out bytes.Buffer
	writeJSON(&out, value)
	return out.Bytes()
}

func writeJSON(out *bytes.Buffer, value any) {
	switch v := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case string:
		writeText(out, v)
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeJSON(out, item)
		}
		out.WriteByte(']')
	case object:
		out.WriteByte('{')
		for i, name := range sortedNames(v) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, name)
			out.WriteByte(':')
			writeJSON(out, v[name])
		}
		out.WriteByte('}')
	}
}

func writeText(out *bytes.Buffer, text string) {
	short := map[byte]string{'"': `\"`, '\\': `\\`, 8: `\b`, 9: `\t`, 10: `\n`, 12: `\f`, 13: `\r`}
	out.WriteByte('"')
	for i := 0; i < len(text); i++ {
		c := text[i]
		if escape, known := short[c]; known {
			out.WriteString(escape)
		} else if c < 0x20 {
			out.WriteString(`\u00`)
			out.WriteByte("0123456789abcdef"[c>>4])
			out.WriteByte("0123456789abcdef"[c&15])
		} else {
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}

func sortedNames[V any](members map[string]V) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
