// A verifier written from site/content/spec/REG-1.0.md alone: standard library, nothing of this project.
//
// It reads inputs of test vectors (appendix C), one JSON object a line, and answers each with a line: a report
// for kits and registry receipts, a word for everything else. In place of `zip` a kit may have `place`, a file or folder.
// With `report`, the name of what is checked, the answer is the whole report of section 12.7.
package main

import (
	"bufio"
	"encoding/json"
	"os"
)

type input struct {
	Kind      string   `json:"kind"`
	Place     string   `json:"place"`
	Zip       []byte   `json:"zip"`
	Trust     string   `json:"trust"`
	Now       string   `json:"now"`
	Data      []byte   `json:"data"`
	JWKS      string   `json:"jwks"`
	Origin    string   `json:"origin"`
	LeafHash  string   `json:"leaf_hash"`
	Index     int64    `json:"index"`
	Size      int64    `json:"size"`
	Root      string   `json:"root"`
	Path      []string `json:"path"`
	OldSize   int64    `json:"old_size"`
	OldRoot   string   `json:"old_root"`
	NewSize   int64    `json:"new_size"`
	NewRoot   string   `json:"new_root"`
	Public    string   `json:"public"`
	Message   []byte   `json:"message"`
	Signature string   `json:"signature"`

	Members map[string]string `json:"members"`
	Report  *string           `json:"report"` // the input's name, if the whole report is wanted
}

var parsers = map[string]struct {
	word  string
	parse func([]byte)
}{
	"manifest":         {"manifest-malformed", func(d []byte) { parseManifest(d) }},
	"hash-trail":       {"trail-malformed", func(d []byte) { parseTrail(d) }},
	"intake-report":    {"report-malformed", func(d []byte) { parseReport(d) }},
	"receipt":          {"receipt-malformed", func(d []byte) { parseReceipt(d) }},
	"registry-receipt": {"registry-receipt-malformed", func(d []byte) { parseRegistryReceipt(d) }},
	"checkpoint":       {"checkpoint-malformed", func(d []byte) { parseCheckpoint(d) }},
	"notices":          {"trust-root-unusable", func(d []byte) { takeNotices(parseJSON(d, maxNoticesBytes)) }},
	"trust":            {"trust-root-unusable", func(d []byte) { parseTrust(d) }},
	"leaf-record":      {"leaf-malformed", func(d []byte) { takeRecord(parseJSON(d, maxEntry)) }},
	"log-entry":        {"leaf-malformed", func(d []byte) { parseEntry(d) }},
	"nonce":            {"nonce-malformed", func(d []byte) { parseNonce(d) }},
	"note":             {"note-malformed", func(d []byte) { parseNote(string(d)) }},
}

func answer(in *input) any {
	word := func(found string) string {
		if found == "" {
			return "accepted"
		}
		return found
	}
	holds := func(reason string, holds func() bool) string {
		return word(reading(reason, func() { refuseIf(!holds()) }))
	}
	switch in.Kind {
	case "kit", "disclosed-record":
		return answerKit(in)
	case "container":
		return answerContainer(in)
	case "receipt-by-trust":
		return answerReceipt(in, func() *standing { return parseTrust([]byte(in.Trust)) })
	case "receipt-by-jwks":
		return answerReceipt(in, func() *standing { return parseJWKS([]byte(in.JWKS), in.Origin) })
	case "inclusion":
		return holds("inclusion-proof-invalid", func() bool {
			return included(parseHash(in.LeafHash), in.Index, in.Size, parseHash(in.Root), hashes(in.Path))
		})
	case "consistency":
		return holds("checkpoint-conflict", func() bool {
			return consistent(in.OldSize, parseHash(in.OldRoot), in.NewSize, parseHash(in.NewRoot), hashes(in.Path))
		})
	case "signature":
		return holds("receipt-signature-invalid", func() bool {
			return verifies(publicKey(parseURL(in.Public, 32)), parseURL(in.Signature, 64), in.Message)
		})
	case "public-key":
		return word(reading("trust-root-unusable", func() { publicKey(parseURL(in.Public, 32)) }))
	}
	kind, known := parsers[in.Kind]
	if !known {
		return "unknown kind"
	}
	return word(reading(kind.word, func() { kind.parse(in.Data) }))
}

func hashes(texts []string) []string {
	var found []string
	for _, text := range texts {
		found = append(found, parseHash(text))
	}
	return found
}

func answerKit(in *input) verdict {
	var trust *standing
	if word := reading("trust-root-unusable", func() { trust = parseTrust([]byte(in.Trust)) }); word != "" {
		return unopened(about(word), 1, "", subject{kind: "kit"})
	}
	if in.Now != "" {
		now := parseTime(in.Now)
		trust.now = &now
	}
	k, wrong := opening(func() *kit {
		if in.Place != "" {
			return readPlace(in.Place)
		}
		return readZip(in.Zip)
	})
	if wrong != nil {
		return unopened(wrong, 1, "", subject{kind: "kit", trust: trust})
	}
	return verifyKit(k, trust)
}

// answerContainer: the ZIP reads and holds just these members.
func answerContainer(in *input) string {
	k, wrong := opening(func() *kit { return readZip(in.Data) })
	if wrong != nil {
		return wrong.Reason
	}
	if len(k.members) != len(in.Members) {
		return "other members"
	}
	for name, m := range k.members {
		if url(m.hash) != in.Members[name] {
			return "another " + name
		}
	}
	return "accepted"
}

func answerReceipt(in *input, trust func() *standing) verdict {
	var found *standing
	if word := reading("trust-root-unusable", func() { found = trust() }); word != "" {
		return unopened(about(word), 9, "not-checked", subject{kind: "registry-receipt"})
	}
	return verifyReceipt(in.Data, found)
}

// told is the answer, or the whole report where that is asked for.
func told(in *input) any {
	found := answer(in)
	if v, reported := found.(verdict); reported && in.Report != nil {
		return asReport(v, *in.Report)
	}
	return found
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 {
			return
		}
		var in input
		if fault := json.Unmarshal(line, &in); fault != nil {
			panic(fault)
		}
		answered, _ := json.Marshal(told(&in))
		out.Write(append(answered, '\n'))
		if err != nil {
			return
		}
	}
}
