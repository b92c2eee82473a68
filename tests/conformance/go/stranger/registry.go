// Steps 11 to 15 as far as they are about the registry receipt alone (REG-1.0 sections 12.4 and 12.6).
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

func (c *checkpoint) noteText() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.origin, c.size, base64.StdEncoding.EncodeToString([]byte(c.root)))
}

func registryCheckpoint(s *step, r *registryReceipt, trust *standing) {
	c := r.checkpoint
	if c.origin != trust.origin {
		s.Failures = append(s.Failures, failure{Reason: "origin-mismatch", Files: []string{registryFile}, ofOther: true})
	}
	signed := false
	if k := trust.key("registry", c.kid); k == nil {
		s.fail("registry-key-unknown", registryFile)
	} else {
		if !k.counts(c.at) {
			s.fail("registry-key-not-valid", registryFile)
		}
		if k.revoked != nil && !outlives(r, trust, k) {
			s.fail("registry-key-revoked", registryFile)
		}
		if signed = c.signedBy(k.public); !signed {
			s.fail("checkpoint-signature-invalid", registryFile)
		}
	}
	if r.note.text != c.noteText() {
		origin := ""
		if reading("x", func() { origin = noteOrigin(r.note.text) }) != "" {
			s.failAndEnd("note-malformed", registryFile)
		}
		if origin != c.origin {
			s.fail("origin-mismatch", registryFile)
		} else {
			s.fail("note-mismatch", registryFile)
		}
	}
	supported := false
	for _, k := range trust.keys {
		if k.role != "registry" || !k.counts(c.at) {
			continue
		}
		named := verifierKey{c.origin, typeSignature, k.public}
		for _, line := range r.note.linesBy(named) {
			if !r.note.verifies(line, named) {
				s.fail("note-signature-invalid", registryFile)
			} else if k.revoked == nil || k.kid == c.kid || outlives(r, trust, k) {
				supported = true
			}
		}
	}
	if !supported {
		s.fail("note-signature-invalid", registryFile)
	}
	if known := trust.trusted; known != nil && signed {
		if c.sequence == known.sequence && c.hash != known.hash || c.size == known.size && c.root != known.root {
			s.fail("checkpoint-conflict", registryFile)
		}
	}
}

// noteOrigin reads the text form of section 9.2.
func noteOrigin(text string) string {
	lines := strings.Split(text, "\n")
	refuseIf(len(lines) != 4 || lines[3] != "")
	parseDecimal(lines[1], maxInteger)
	refuseIf(len(parseBase64(lines[2])) != 32)
	return parseOrigin(lines[0])
}

// outlives: section 12.4, step 12. A JWKS has no policies, so nothing outlives a revocation there.
func outlives(r *registryReceipt, trust *standing, k *key) bool {
	p := trust.policyAt(r.checkpoint.at)
	return r.checkpoint.at < *k.revoked && !p.met(nil) && p.met(cosigners(r, p, k.revoked))
}

// cosigners are the witnesses of a policy with a timely cosignature, dated before a time if one is given.
func cosigners(r *registryReceipt, p *policy, before *int64) map[string]bool {
	found := map[string]bool{}
	for name, w := range p.witnesses {
		if w.kind != typeCosignature {
			continue
		}
		for _, line := range r.note.linesBy(w) {
			at, ok := line.time()
			apart := at - r.checkpoint.at
			if ok && apart >= -600 && apart <= 600 && (before == nil || at < *before) && r.note.verifies(line, w) {
				found[name] = true
			}
		}
	}
	return found
}

func witnesses(s *step, r *registryReceipt, trust *standing) {
	p := trust.policyAt(r.checkpoint.at)
	for _, name := range p.names {
		w := p.witnesses[name]
		if w.kind != typeCosignature {
			continue
		}
		for _, line := range r.note.linesBy(w) {
			if !r.note.verifies(line, w) {
				s.fail("witness-signature-invalid", registryFile)
				break
			}
		}
	}
	if !p.met(cosigners(r, p, nil)) {
		s.fail("witness-quorum-not-met", registryFile)
	}
	if p.met(nil) {
		s.unproven("none demanded")
	}
}

func notAfter(s *step, r *registryReceipt, trust *standing) {
	c := r.checkpoint
	if r.leaf.issuedAt > c.at {
		s.fail("issued-after-checkpoint", registryFile)
	}
	if c.at <= r.leaf.issuedAt+600 {
		return
	}
	covered := trust.trusted == nil // a JWKS does not know
	for _, late := range trust.late {
		covered = covered || late[0] <= r.index && r.index <= late[1]
	}
	if covered {
		s.remark("late-merge")
	} else {
		s.fail("late-merge-unexplained", registryFile)
	}
}

func notices(s *step, r *registryReceipt, trust *standing) {
	if trust.withdrawn[r.leaf.hash] {
		s.fail("kit-withdrawn", registryFile)
	}
	if trust.superseded[r.leaf.hash] {
		s.remark("superseded")
	}
	if r.checkpoint.origin != trust.origin {
		s.unproven("not known: trust root of " + trust.origin)
	} else if r.checkpoint.sequence > trust.trusted.sequence {
		s.unproven("not known: trust root of " + formatTime(trust.trusted.at))
		s.remark("withdrawal-unknown")
	}
	if trust.now != nil && *trust.now > trust.trusted.at+2_592_000 {
		s.remark("trust-root-old")
	}
}

// lacksNotices: notices that this trust root does not have may explain a failure (section 12.5).
func (s *standing) lacksNotices(r *registryReceipt) bool {
	return r != nil && s.trusted != nil && r.checkpoint.sequence > s.trusted.sequence &&
		r.checkpoint.notices != s.trusted.notices
}

// verifyReceipt checks a registry receipt by itself.
func verifyReceipt(data []byte, trust *standing) verdict {
	var r *registryReceipt
	word := reading("registry-receipt-malformed", func() {
		if len(data) > maxDocument || bytes.HasPrefix(data, []byte(localSign)) {
			panic(fault{"input-unreadable"}) // it may be a kit
		}
		r = parseRegistryReceipt(data)
	})
	if word != "" {
		return unopened(about(word), 9, "not-checked", subject{kind: "registry-receipt", trust: trust})
	}
	made := map[int]func(*step){9: func(s *step) { leafHashStated(s, r) }}
	for n, part := range map[int]func(*step, *registryReceipt, *standing){
		11: inclusion, 12: registryCheckpoint, 13: witnesses, 14: notAfter, 15: notices,
	} {
		if trust.trusted != nil || n != 13 && n != 15 {
			made[n] = func(s *step) { part(s, r, trust) }
		}
	}
	var steps []step
	for n := 1; n <= 15; n++ {
		if part := made[n]; part != nil {
			steps = append(steps, run(part))
		} else {
			steps = append(steps, notChecked())
		}
	}
	found := verdictOf(steps, trust.lacksNotices(r))
	found.of = subject{kind: "registry-receipt", issued: r.issued(), trust: trust}
	return found
}
