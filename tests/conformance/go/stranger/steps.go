// The fifteen steps (REG-1.0 section 12.4).
package main

type evidence struct {
	kit      *kit
	trust    *standing
	manifest *doc[manifest]
	trail    *doc[trail]
	receipt  *doc[receipt]
	report   *doc[report]
	registry *doc[registryReceipt]
	nonce    *doc[string]
	seen     *doc[checkpoint]

	disclosure *doc[disclosure] // of a disclosed record only
}

func verifyKit(k *kit, trust *standing) verdict {
	e := &evidence{k, trust,
		read(k, manifestFile, parseManifest),
		read(k, trailFile, parseTrail),
		read(k, receiptFile, parseReceipt),
		read(k, reportFile, parseReport),
		read(k, registryFile, parseRegistryReceipt),
		read(k, nonceFile, func(data []byte) *string { named := parseNonce(data); return &named }),
		read(k, nonceCheckFile, parseCheckpoint),
		nil,
	}
	registry := func(part func(*step, *registryReceipt, *standing)) func(*step) {
		return func(s *step) { part(s, e.registry.need(s), trust) }
	}
	listing, files, root, binding := e.listing, e.files, e.manifestRoot, e.binding
	if k.disclosed() {
		e.disclosure = read(k, disclosureFile, parseDisclosure)
		listing, files, root, binding = e.disclosedListing, e.disclosedFile, e.disclosedRoot, e.disclosedBinding
	}
	steps := []step{
		run(e.container), run(listing), run(files), run(root), run(e.hashTrail), run(binding),
		run(e.issuerKey), run(e.receiptSignature), run(e.leaf), run(e.kitDigest), run(registry(inclusion)),
		run(registry(registryCheckpoint), e.receiptOrigin), run(registry(witnesses)),
		run(e.notBefore, registry(notAfter)), run(registry(notices)),
	}
	if k.disclosed() {
		steps[4], steps[9] = notChecked(), notChecked()
	}
	found := verdictOf(steps, trust.lacksNotices(e.registry.value))
	found.of = subject{"kit", e.issued(), k.ignored, trust}
	if k.disclosed() {
		found.of.kind = "disclosed-record"
	}
	return found
}

func notChecked() step {
	s := newStep()
	s.Status = "not-checked"
	return *s
}

func (e *evidence) container(s *step) {
	if e.kit.repacked {
		s.remark("container-repacked")
	}
	if len(e.kit.ignored) > 0 {
		s.remark("files-ignored")
	}
	for _, each := range [][2]string{
		{disclosureFile, "disclosure"}, {trailFile, "hash-trail"}, {reportFile, "intake-report"}, {manifestFile, "manifest"},
		{receiptFile, "receipt"}, {nonceCheckFile, "checkpoint"}, {registryFile, "registry-receipt"},
	} {
		m, there := e.kit.members[each[0]]
		word := ""
		if there {
			word = reading("", func() {
				o := schemaOf(parseJSON(m.data, maxDocument), each[1])
				if each[0] == reportFile {
					schemaOf(o["policy"], "intake-policy")
				}
				if each[0] == registryFile {
					schemaOf(o["checkpoint"], "checkpoint")
				}
			})
		}
		if word == "schema-newer" {
			s.fail(word, each[0])
		}
	}
	for _, name := range e.kit.unexpected {
		s.fail("file-unexpected", name)
	}
}

func (e *evidence) listing(s *step) {
	for _, name := range []string{trailFile, receiptFile} {
		if _, there := e.kit.members[name]; !there {
			s.fail("file-missing", name)
		}
	}
	m, listed := e.manifest.open(s), map[string]bool{}
	for _, f := range m.files {
		listed[f.path] = true
		if _, there := e.kit.members[f.path]; !there {
			s.fail("file-missing", f.path)
		}
	}
	for _, name := range e.kit.names {
		if !listed[name] && !neverListed[name] {
			s.fail("file-unexpected", name)
		}
	}
}

func (e *evidence) files(s *step) {
	for _, f := range e.manifest.need(s).files {
		e.file(s, f)
	}
}

func (e *evidence) file(s *step, f file) {
	if m, there := e.kit.members[f.path]; there {
		if int64(len(m.data)) != f.size {
			s.fail("file-size-mismatch", f.path)
		} else if m.hash != f.hash {
			s.fail("file-hash-mismatch", f.path)
		}
	}
}

// shownRoot is the root over the manifest's entries, or the one that a disclosure leads to.
func (e *evidence) shownRoot(s *step) string {
	if e.disclosure != nil {
		return e.disclosure.need(s).root
	}
	return e.manifest.need(s).root
}

func (e *evidence) nonceHash(s *step, r *receipt) {
	if e.kit.needFile(s, nonceFile) != r.hash("client_nonce_hash") {
		s.fail("receipt-nonce-mismatch", nonceFile, receiptFile)
	}
}

func (e *evidence) manifestRoot(s *step) {
	m, r := e.manifest.need(s), e.receipt.need(s)
	if m.root != r.hash("manifest_root") {
		s.fail("manifest-root-mismatch", manifestFile, receiptFile)
	}
}

func (e *evidence) hashTrail(s *step) {
	t := e.trail.open(s)
	previous := ""
	for i, each := range t.events {
		if each.n != int64(i) || each.prev != previous {
			s.fail("trail-chain-broken", trailFile)
		}
		previous = each.hash
	}
	for i := 1; i < len(t.events); i++ {
		if t.events[i].at < t.events[i-1].at {
			s.fail("trail-time-mismatch", trailFile)
			break
		}
	}
	r := e.receipt.need(s)
	if t.events[len(t.events)-1].at > r.issuedAt {
		s.fail("trail-time-mismatch", trailFile)
	}
	m, report := e.manifest.need(s), e.report.need(s)
	wanted := e.expectedEvents(m, report, e.kit.needFile(s, manifestFile))
	found := inOrder(t.events)
	for i := range max(len(found), len(wanted)) {
		if len(found) != len(wanted) || found[i] != wanted[i] {
			s.fail("trail-event-mismatch", trailFile)
			return
		}
	}
}

func (e *evidence) expectedEvents(m *manifest, r *report, manifestHash string) []string {
	var made []event
	add := func(kind string, data object) {
		made = append(made, event{kind: kind, data: string(formatJSON(data)), isSubmitted: kind == "record.submitted"})
	}
	made = append(made, event{kind: "packet.opened"})
	for _, f := range m.records() {
		add("record.submitted", object{"sha256": url(f.hash), "size": f.size})
	}
	add("intake.evaluated", object{"intake_policy_hash": url(r.policyHash), "report_sha256": url(m.hashOf(reportFile))})
	for _, f := range m.records() {
		add("record.accepted", object{"path": f.path, "sha256": url(f.hash), "size": f.size})
	}
	add("binder.rendered", object{"sha256": url(m.hashOf("binder.pdf"))})
	add("manifest.sealed", object{"manifest_sha256": url(manifestHash), "manifest_root": url(m.root)})
	return inOrder(made)
}

func (e *evidence) binding(s *step) {
	r := e.receipt.open(s)
	report := e.report.open(s)
	if e.kit.needFile(s, manifestFile) != r.hash("manifest_sha256") {
		s.fail("receipt-manifest-mismatch", manifestFile, receiptFile)
	}
	e.nonceHash(s, r)
	if report.policyHash != r.hash("intake_policy_hash") || report.lane != r.text("lane_id") ||
		report.profile != r.text("profile_id") {
		s.fail("receipt-policy-mismatch", reportFile, receiptFile)
	}
	t := e.trail.need(s)
	if t.events[len(t.events)-1].hash != r.hash("hash_trail_head") {
		s.fail("receipt-trail-mismatch", trailFile, receiptFile)
	}
	m := e.manifest.need(s)
	for _, each := range [][2]string{{manifestFile, m.kitID}, {trailFile, t.kitID}, {reportFile, report.kitID}} {
		if each[1] != r.text("kit_id") {
			s.fail("kit-id-mismatch", each[0])
		}
	}
	records, known := m.records(), map[string]bool{}
	differ := len(records) != len(report.records)
	for i, f := range records {
		known[f.path] = true
		differ = differ || report.records[i].path != f.path || report.records[i].size != f.size
	}
	for _, path := range report.named {
		differ = differ || !known[path]
	}
	if differ {
		s.fail("report-records-mismatch", reportFile, manifestFile)
	}
}

func (e *evidence) issuerKey(s *step) {
	r := e.receipt.need(s)
	k := e.trust.key("issuer", r.text("issuer_kid"))
	if k == nil {
		s.failAndEnd("issuer-key-unknown", receiptFile)
	}
	c := e.registry.need(s).checkpoint
	if !k.counts(r.issuedAt) {
		s.fail("issuer-key-not-valid", receiptFile)
	}
	if k.revokedAt(r.issuedAt) || k.revokedAt(c.at) {
		s.fail("issuer-key-revoked", receiptFile)
	}
}

func (e *evidence) receiptSignature(s *step) {
	r := e.receipt.need(s)
	k := e.trust.key("issuer", r.text("issuer_kid"))
	if k == nil {
		s.notReached()
	}
	if !verifies(k.public, parseURL(r.text("signature"), 64), r.unsigned()) {
		s.fail("receipt-signature-invalid", receiptFile)
	}
}

func leafHashStated(s *step, r *registryReceipt) {
	if r.leaf.hash != r.stated {
		s.fail("leaf-hash-mismatch", registryFile)
	}
}

func (e *evidence) leaf(s *step) {
	found := e.registry.open(s)
	leafHashStated(s, found)
	r := e.receipt.need(s)
	wanted := map[string]string{"client_nonce_hash": url(e.kit.needFile(s, nonceFile))}
	wanted["manifest_root"] = url(e.shownRoot(s))
	for _, name := range []string{"intake_policy_hash", "issued_at", "issuer_kid", "lane_id", "profile_id"} {
		wanted[name] = r.text(name)
	}
	wanted["statement_hash"] = url(e.kit.needFile(s, receiptFile))
	for name, value := range wanted {
		if found.leaf.members.text(name) != value {
			s.fail("leaf-mismatch", registryFile)
			return
		}
	}
}

func (e *evidence) kitDigest(s *step) {
	if len(e.kit.unexpected) > 0 {
		s.notReached()
	}
	if e.kit.sealedDigest() != e.registry.need(s).leaf.members.hash("kit_digest") {
		s.fail("kit-digest-mismatch", registryFile)
	}
}

func inclusion(s *step, r *registryReceipt, _ *standing) {
	if !included(r.leaf.hash, r.index, r.checkpoint.size, r.checkpoint.root, r.path) {
		s.fail("inclusion-proof-invalid", registryFile)
	}
}

func (e *evidence) receiptOrigin(s *step) {
	if e.receipt.need(s).text("origin") != e.registry.need(s).checkpoint.origin {
		s.fail("origin-mismatch", receiptFile, registryFile)
	}
}

func (e *evidence) notBefore(s *step) {
	named := *e.nonce.open(s)
	_, there := e.kit.members[nonceCheckFile]
	if named == "" {
		if there {
			s.fail("nonce-checkpoint-mismatch", nonceCheckFile)
		}
		s.remark("not-before-not-shown")
		return
	}
	if !there {
		s.failAndEnd("nonce-checkpoint-mismatch", nonceCheckFile)
	}
	n := e.seen.open(s)
	if n.hash != named {
		s.fail("nonce-checkpoint-mismatch", nonceFile, nonceCheckFile)
	}
	k := e.trust.key("registry", n.kid)
	if k == nil || n.origin != e.trust.origin || !k.counts(n.at) || k.revokedAt(n.at) || !n.signedBy(k.public) {
		s.fail("nonce-checkpoint-invalid", nonceCheckFile)
	} else if k.revoked != nil {
		s.remark("not-before-not-shown")
	}
	if n.at > e.receipt.need(s).issuedAt {
		s.fail("issued-before-nonce", nonceCheckFile)
	}
}
