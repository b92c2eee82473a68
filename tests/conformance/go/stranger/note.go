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
	typeMLDSA       = 6 // ML-DSA-44, in policies only: nothing here checks its signatures

	sizeMLDSA = 1312
)

type noteLine struct{ name, keyID, data string }

type note struct {
	text  string
	lines []noteLine
}

var keyName = regexp.MustCompile(
	`\A[^\x{00}-\x{20}+\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+\z`)

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

func (v verifierKey) text() string {
	raw := string(rune(v.kind)) + v.key
	return v.name + "+" + hex.EncodeToString([]byte(v.id())) + "+" + base64.StdEncoding.EncodeToString([]byte(raw))
}

func (v verifierKey) id() string {
	return sha([]byte(v.name + "\n" + string(rune(v.kind)) + v.key))[:4]
}

// parseVerifierKey reads the key of a witness of a policy; the types that have a meaning are the caller's to choose.
func parseVerifierKey(text string) verifierKey {
	parts := strings.SplitN(text, "+", 3)
	refuseIf(len(parts) != 3 || !keyName.MatchString(parts[0]))
	raw := parseBase64(parts[2])
	found := verifierKey{parts[0], raw[0], raw[1:]}
	switch found.kind {
	case typeSignature, typeCosignature:
		publicKey(found.key)
	case typeMLDSA:
		refuseIf(len(found.key) != sizeMLDSA)
	default:
		refuse()
	}
	refuseIf(found.text() != text)
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
	for name, w := range p.witnesses {
		met[name] = by[name] && w.kind == typeCosignature
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

// policyText refuses control characters but tab and newline.
func policyText(text string) {
	refuseIf(utf8.RuneCountInString(text) > 65536 || !strings.HasSuffix(text, "\n"))
	for _, c := range text {
		refuseIf(c < 0x20 && c != '\t' && c != '\n' || c == 0x7f)
	}
}

func parsePolicy(text string) *policy {
	policyText(text)
	r := &policyReader{policy{witnesses: map[string]verifierKey{}}, map[string]bool{}, map[string]bool{}}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		words := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' })
		if len(words) > 0 && words[0][0] != '#' {
			r.line(words)
		}
	}
	refuseIf(r.quorum == "")
	return &r.policy
}

type policyReader struct {
	policy
	defined, member map[string]bool
}

func (r *policyReader) define(name string) {
	refuseIf(name == "none" || r.defined[name] || len(r.defined) >= 256)
	r.defined[name] = true
}

func (r *policyReader) line(words []string) {
	switch {
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4):
		r.witness(words[1], parseVerifierKey(words[2]))
	case words[0] == "group" && len(words) >= 4:
		r.group(group{words[1], threshold(words[2], len(words)-3), words[3:]})
	case words[0] == "quorum" && len(words) == 2 && r.quorum == "":
		refuseIf(words[1] != "none" && !r.defined[words[1]])
		r.quorum = words[1]
	default:
		refuse()
	}
}

func (r *policyReader) witness(name string, key verifierKey) {
	refuseIf(key.kind != typeCosignature && key.kind != typeMLDSA)
	for _, other := range r.witnesses {
		refuseIf(other.key == key.key)
	}
	r.define(name)
	r.names, r.witnesses[name] = append(r.names, name), key
}

func threshold(text string, members int) int {
	switch text {
	case "all":
		return members
	case "any":
		return 1
	}
	found := int(parseDecimal(text, int64(members)))
	refuseIf(found == 0)
	return found
}

func (r *policyReader) group(g group) {
	for _, name := range g.members {
		refuseIf(!r.defined[name] || r.member[name])
		r.member[name] = true
	}
	r.define(g.name)
	r.groups = append(r.groups, g)
}
