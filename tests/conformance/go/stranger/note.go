// Signed notes, verifier keys, witness policies (REG-1.0 sections 2.10 and 9.5).
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	typeSignature   = 1
	typeCosignature = 4
)

type noteLine struct{ name, keyID, data string }

type note struct {
	text  string
	lines []noteLine
}

var keyName = regexp.MustCompile(
	`\A[^\x{00}-\x{20}+\x{7f}-\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+\z`)

func parseNote(data string) *note {
	refuseIf(!utf8.ValidString(data) || utf8.RuneCountInString(data) > 1048576)
	for _, c := range data {
		refuseIf(c < 0x20 && c != '\n')
	}
	blank := strings.LastIndex(data, "\n\n")
	refuseIf(blank < 0 || !strings.HasSuffix(data[blank+2:], "\n"))
	found := &note{text: data[:blank+1]}
	lines := strings.Split(strings.TrimSuffix(data[blank+2:], "\n"), "\n")
	refuseIf(len(lines) > 32)
	for _, line := range lines {
		parts := strings.Split(line, " ")
		refuseIf(len(parts) != 3 || parts[0] != "—" || !keyName.MatchString(parts[1]))
		raw := parseBase64(parts[2])
		refuseIf(len(raw) <= 4)
		found.lines = append(found.lines, noteLine{parts[1], raw[:4], raw[4:]})
	}
	return found
}

type verifierKey struct {
	name string
	kind byte
	key  string
}

func (v verifierKey) id() string {
	return sha([]byte(v.name + "\n" + string(rune(v.kind)) + v.key))[:4]
}

func parseVerifierKey(text string) verifierKey {
	parts := strings.SplitN(text, "+", 3)
	refuseIf(len(parts) != 3 || !keyName.MatchString(parts[0]))
	raw := parseBase64(parts[2])
	refuseIf(len(raw) != 33 || raw[0] != typeSignature && raw[0] != typeCosignature)
	found := verifierKey{parts[0], raw[0], publicKey(raw[1:])}
	again := parts[0] + "+" + hex.EncodeToString([]byte(found.id())) + "+" + base64.StdEncoding.EncodeToString([]byte(raw))
	refuseIf(again != text)
	return found
}

// linesBy are the lines that are by a key: name and key id are equal.
func (n *note) linesBy(v verifierKey) []noteLine {
	var found []noteLine
	for _, line := range n.lines {
		if line.name == v.name && line.keyID == v.id() {
			found = append(found, line)
		}
	}
	return found
}

func (n *note) verifies(line noteLine, v verifierKey) bool {
	if v.kind == typeSignature {
		return verifies(v.key, line.data, []byte(n.text))
	}
	at, ok := line.time()
	return ok && verifies(v.key, line.data[8:], []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, n.text)))
}

func (l noteLine) time() (int64, bool) {
	if len(l.data) != 72 {
		return 0, false
	}
	at := binary.BigEndian.Uint64([]byte(l.data[:8]))
	return int64(at), at <= 1<<63-1
}

type group struct {
	name      string
	threshold int
	members   []string
}

type policy struct {
	names     []string // of witnesses, in order
	witnesses map[string]verifierKey
	groups    []group
	quorum    string
}

func (p *policy) met(by map[string]bool) bool {
	if p.quorum == "none" {
		return true
	}
	met := map[string]bool{}
	for name := range p.witnesses {
		met[name] = by[name]
	}
	for _, g := range p.groups {
		count := 0
		for _, member := range g.members {
			if met[member] {
				count++
			}
		}
		met[g.name] = count >= g.threshold
	}
	return met[p.quorum]
}

func parsePolicy(text string) *policy {
	refuseIf(utf8.RuneCountInString(text) > 65536 || !strings.HasSuffix(text, "\n"))
	p := &policy{witnesses: map[string]verifierKey{}}
	defined, member := map[string]bool{}, map[string]bool{}
	define := func(name string) {
		refuseIf(name == "none" || defined[name] || len(defined) >= 256)
		defined[name] = true
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		words := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' })
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch {
		case words[0] == "witness" && (len(words) == 3 || len(words) == 4):
			key := parseVerifierKey(words[2])
			refuseIf(key.kind != typeCosignature)
			for _, other := range p.witnesses {
				refuseIf(other.key == key.key)
			}
			define(words[1])
			p.names, p.witnesses[words[1]] = append(p.names, words[1]), key
		case words[0] == "group" && len(words) >= 4:
			g := group{words[1], 0, words[3:]}
			switch words[2] {
			case "all":
				g.threshold = len(g.members)
			case "any":
				g.threshold = 1
			default:
				g.threshold = int(parseDecimal(words[2], int64(len(g.members))))
			}
			refuseIf(g.threshold == 0)
			for _, name := range g.members {
				refuseIf(!defined[name] || member[name])
				member[name] = true
			}
			define(g.name)
			p.groups = append(p.groups, g)
		case words[0] == "quorum" && len(words) == 2 && p.quorum == "":
			refuseIf(words[1] != "none" && !defined[words[1]])
			p.quorum = words[1]
		default:
			refuse()
		}
	}
	refuseIf(p.quorum == "")
	return p
}
