// The report as JSON (REG-1.0 section 12.7), without what is for people: messages and advice.
package main

// subject is what a report is of: its kind, what was issued if it verifies, and what was ignored.
type subject struct {
	kind    string
	issued  map[string]any
	ignored []string
	trust   *standing // nil if it was refused
}

var proves = map[string][]string{
	"kit": {"files match the manifest", "manifest matches the receipt", "receipt key ID matches a public key",
		"receipt signature verifies", "the kit has not been modified since issuance"},
	"disclosed-record": {"the record is one of the kit's, byte for byte", "receipt key ID matches a public key",
		"receipt signature verifies", "the kit's entry is in the public registry"},
	"registry-receipt": {"the entry is in the public registry", "the registry's key signed the checkpoint holding it"},
}

var provesNothing = map[string][]string{
	"disclosed-record": {"what else the kit holds, and how much"},
	"registry-receipt": {"any kit or file is the one that the entry is of"},
}

var neverProves = []string{"company compliance status", "company security status",
	"controls are operating effectively",
	"a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
	"the evidence content is legally sufficient"}

var stepNames = []string{"container", "manifest", "files", "manifest root", "hash trail", "receipt", "issuer key",
	"receipt signature", "leaf", "kit digest", "inclusion", "checkpoint", "witnesses", "times", "notices"}

// asReport is the whole report of a verdict on what has this name.
func asReport(v verdict, name string) map[string]any {
	proven, issued := []string{}, any(nil)
	if v.Verdict == "VERIFIED" {
		proven, issued = proves[v.of.kind], v.of.issued
	}
	return map[string]any{
		"schema":         "attestlayer/verification-report/1",
		"verdict":        v.Verdict,
		"exit_code":      v.ExitCode,
		"input":          v.of.kind,
		"kit":            shown(name),
		"trust":          v.of.trust.members(),
		"registry":       nil, // nothing is asked of one
		"steps":          stepMembers(v),
		"issued":         issued,
		"proves":         proven,
		"does_not_prove": append(append([]string{}, provesNothing[v.of.kind]...), neverProves...),
		"boundary":       boundary,
	}
}

func (s *standing) members() any {
	if s == nil {
		return nil
	}
	found := map[string]any{"origin": s.origin, "verifier_key": nil, "kid": nil, "checkpoint_time": nil}
	if c := s.trusted; c != nil {
		found["verifier_key"], found["kid"], found["checkpoint_time"] = s.identity(), c.kid, formatTime(c.at)
	}
	return found
}

func stepMembers(v verdict) []any {
	var found []any
	for i, s := range v.Steps {
		words, notes := any(nil), []any{}
		if s.Unproven {
			words = s.words
		}
		for _, remark := range s.Remarks {
			files := []string{}
			if remark == "files-ignored" {
				for _, name := range v.of.ignored {
					files = append(files, shown(name))
				}
			}
			notes = append(notes, map[string]any{"remark": remark, "files": files})
		}
		found = append(found, map[string]any{"number": i + 1, "name": stepNames[i], "status": s.Status,
			"unproven": words, "failures": s.Failures, "notes": notes})
	}
	return found
}

// issued is of a registry receipt alone; kits and disclosed records know more.
func (r *registryReceipt) issued() map[string]any {
	m := r.leaf.members
	return map[string]any{"kit_id": nil, "lane_id": m["lane_id"], "profile_id": m["profile_id"],
		"issued_at": m["issued_at"], "not_before": nil, "not_after": formatTime(r.checkpoint.at),
		"leaf_hash": url(r.leaf.hash), "leaf_index": r.index, "files": 0}
}

// issued is nil where a document is missing: then nothing verifies.
func (e *evidence) issued() map[string]any {
	if e.registry.value == nil || e.receipt.value == nil {
		return nil
	}
	found := e.registry.value.issued()
	found["kit_id"] = e.receipt.value.text("kit_id")
	if n := e.seen.value; n != nil {
		if k := e.trust.key("registry", n.kid); k != nil && k.revoked == nil {
			found["not_before"] = formatTime(n.at)
		}
	}
	if e.disclosure == nil && e.manifest.value != nil {
		found["files"] = len(e.manifest.value.files)
	}
	if e.disclosure != nil && e.disclosure.value != nil {
		shown := e.disclosure.value.file
		found["files"] = 1
		found["record"] = map[string]any{"path": shown.path, "sha256": url(shown.hash), "size": shown.size}
	}
	return found
}
