// The documents of a kit and of the log (REG-1.0 sections 3 to 9.2).
package main

import (
	"regexp"
	"sort"
	"strings"
	"time"
)

const boundary = "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."

const (
	trailFile      = "hash_trail.json"
	reportFile     = "intake_report.json"
	manifestFile   = "manifest.json"
	receiptFile    = "receipt.json"
	nonceFile      = "registry/client_nonce.txt"
	nonceCheckFile = "registry/nonce_checkpoint.json"
	registryFile   = "registry/registry_receipt.json"
)

var recordForm = regexp.MustCompile(`\Arecords/[0-9]{3}-[a-z0-9-]{1,48}(\.[a-z0-9]{1,8})?\z`)

func isRecord(name string) bool { return recordForm.MatchString(name) }

var neverListed = map[string]bool{trailFile: true, manifestFile: true, receiptFile: true, registryFile: true}
var alwaysListed = []string{"README.txt", "binder.pdf", reportFile, nonceFile}

func isMember(name string) bool {
	for _, listed := range alwaysListed {
		if name == listed {
			return true
		}
	}
	return neverListed[name] || name == nonceCheckFile || isRecord(name)
}

// leaf is a payload: its ten members as they stand, and what is computed from them.
type leaf struct {
	members  object
	hash     string
	issuedAt int64
}

var payloadNames = []string{"client_nonce_hash", "intake_policy_hash", "issued_at", "issuer_kid", "kit_digest",
	"lane_id", "manifest_root", "outcome", "profile_id", "statement_hash"}

func takeLeaf(members object) *leaf {
	for _, name := range []string{"client_nonce_hash", "intake_policy_hash", "issuer_kid", "kit_digest", "manifest_root", "statement_hash"} {
		members.hash(name)
	}
	matching(laneForm)(members.text("lane_id"))
	matching(profileForm)(members.text("profile_id"))
	members.constant("outcome", "PASS")
	payload := object{}
	for _, name := range payloadNames {
		payload[name] = members[name]
	}
	return &leaf{payload, leafHash(formatJSON(payload)), members.time("issued_at")}
}

func parseEntry(data []byte) *leaf {
	return takeLeaf(exactly(parseJSON(data, maxEntry), payloadNames...))
}

// takeRecord gives the payload and the leaf hash that the record states.
func takeRecord(value any) (*leaf, string) {
	members := exactly(value, append([]string{"leaf_hash"}, payloadNames...)...)
	return takeLeaf(members), members.hash("leaf_hash")
}

type receipt struct {
	object
	issuedAt int64
}

func parseReceipt(data []byte) *receipt {
	o := document(parseJSON(data, maxDocument), "receipt", "boundary", "client_nonce_hash", "hash_trail_head",
		"intake_policy_hash", "issued_at", "issuer", "issuer_kid", "kit_id", "lane_id", "profile_id", "manifest_root",
		"manifest_sha256", "merge_by", "origin", "outcome", "signature", "supersedes")
	o.constant("boundary", boundary)
	o.constant("issuer", "AttestLayer")
	o.constant("outcome", "PASS")
	for _, name := range []string{"client_nonce_hash", "hash_trail_head", "intake_policy_hash", "issuer_kid", "manifest_root", "manifest_sha256"} {
		o.hash(name)
	}
	matching(kitForm)(o.text("kit_id"))
	matching(laneForm)(o.text("lane_id"))
	matching(profileForm)(o.text("profile_id"))
	parseOrigin(o.text("origin"))
	if o["supersedes"] != nil {
		matching(kitForm)(o.text("supersedes"))
	}
	parseURL(o.text("signature"), 64)
	at := o.time("issued_at")
	refuseIf(o.time("merge_by") != at+600)
	return &receipt{o, at}
}

// parseNonce gives the hash of the checkpoint that the nonce names, or "".
func parseNonce(data []byte) string {
	refuseIf(len(data) > 128)
	lines := strings.Split(string(data), "\n")
	refuseIf(len(lines) != 4 || lines[0] != "attestlayer-nonce/1" || lines[3] != "")
	parseURL(lines[2], 32)
	if lines[1] == "-" {
		return ""
	}
	return parseHash(lines[1])
}

type file struct {
	path, hash string
	size       int64
}

type manifest struct {
	kitID string
	files []file
	root  string
}

func parseManifest(data []byte) *manifest {
	o := document(parseJSON(data, maxDocument), "manifest", "kit_id", "files")
	m := &manifest{kitID: matching(kitForm)(o.text("kit_id"))}
	var leaves []string
	listed, last, records := map[string]bool{}, "", 0
	for _, item := range o.array("files") {
		entry := exactly(item, "path", "salt", "sha256", "size")
		path := entry.text("path")
		refuseIf(neverListed[path] || !isMember(path) || path <= last)
		if last = path; isRecord(path) {
			records++
			refuseIf(int(path[8]-'0')*100+int(path[9]-'0')*10+int(path[10]-'0') != records)
		}
		parseURL(entry.text("salt"), 16)
		m.files = append(m.files, file{path, entry.hash("sha256"), entry.integer("size")})
		listed[path] = true
		leaves = append(leaves, leafHash(formatJSON(entry)))
	}
	for _, path := range alwaysListed {
		refuseIf(!listed[path])
	}
	refuseIf(records == 0)
	m.root = treeRoot(leaves)
	return m
}

func (m *manifest) hashOf(path string) string {
	for _, f := range m.files {
		if f.path == path {
			return f.hash
		}
	}
	return ""
}

func (m *manifest) records() []file {
	var found []file
	for _, f := range m.files {
		if isRecord(f.path) {
			found = append(found, f)
		}
	}
	return found
}

type report struct {
	kitID, policyHash, lane, profile string
	records                          []file
	named                            []string // paths in checks
}

func parseReport(data []byte) *report {
	o := document(parseJSON(data, maxDocument), "intake-report", "kit_id", "policy", "records", "checks")
	r := &report{kitID: matching(kitForm)(o.text("kit_id"))}
	policy := schemaOf(o["policy"], "intake-policy")
	r.lane = matching(laneForm)(policy.text("lane_id"))
	r.profile = matching(profileForm)(policy.text("profile_id"))
	r.policyHash = sha(formatJSON(policy))
	for _, item := range o.array("records") {
		record := exactly(item, "path", "name", "record_type", "media_type", "size", "metadata")
		for _, name := range []string{"name", "record_type", "media_type"} {
			record.text(name)
		}
		r.records = append(r.records, file{path: record.text("path"), size: record.integer("size")})
		metadata, ok := record["metadata"].(object)
		refuseIf(!ok)
		for name := range metadata {
			metadata.text(name)
		}
	}
	for _, item := range o.array("checks") {
		check := exactly(item, "rule", "records", "result", "found")
		check.text("rule")
		check.text("found")
		result := check.text("result")
		refuseIf(result != "pass" && result != "note" && result != "not-applicable")
		for _, path := range check.array("records") {
			text, ok := path.(string)
			refuseIf(!ok)
			r.named = append(r.named, text)
		}
	}
	return r
}

type event struct {
	n           int64
	at          int64
	kind        string
	data        string // canonical; "" if nothing speaks of it
	prev        string
	hash        string
	isSubmitted bool
}

type trail struct {
	kitID  string
	events []event
}

var eventData = map[string][]string{
	"packet.opened":    {"salt"},
	"record.submitted": {"sha256", "size"},
	"intake.evaluated": {"intake_policy_hash", "report_sha256"},
	"record.accepted":  {"path", "sha256", "size"},
	"binder.rendered":  {"sha256"},
	"manifest.sealed":  {"manifest_sha256", "manifest_root"},
}

func parseTrail(data []byte) *trail {
	o := document(parseJSON(data, maxDocument), "hash-trail", "events", "kit_id")
	t := &trail{kitID: matching(kitForm)(o.text("kit_id"))}
	for _, item := range o.array("events") {
		e := exactly(item, "n", "at", "type", "data", "prev")
		names, known := eventData[e.text("type")]
		refuseIf(!known)
		content := exactly(e["data"], names...)
		for _, name := range names {
			switch name {
			case "size":
				content.integer(name)
			case "path":
				content.text(name)
			case "salt":
				parseURL(content.text(name), 16)
			default:
				content.hash(name)
			}
		}
		each := event{e.integer("n"), e.time("at"), e.text("type"), string(formatJSON(content)),
			e.optionalHash("prev"), sha(formatJSON(e)), e.text("type") == "record.submitted"}
		if each.kind == "packet.opened" {
			each.data = "" // its salt is compared with nothing (section 7)
		}
		t.events = append(t.events, each)
	}
	refuseIf(len(t.events) == 0)
	return t
}

// inOrder is type and data of each event, those of submitted records sorted among themselves.
func inOrder(events []event) []string {
	var found, submitted []string
	for _, e := range events {
		if e.isSubmitted {
			submitted = append(submitted, e.kind+e.data)
		}
	}
	sort.Strings(submitted)
	for _, e := range events {
		if e.isSubmitted {
			found, submitted = append(found, submitted[0]), submitted[1:]
		} else {
			found = append(found, e.kind+e.data)
		}
	}
	return found
}

type checkpoint struct {
	object
	origin, root, kid, hash string
	size, sequence, at      int64
	notices                 string
}

func takeCheckpoint(value any) *checkpoint {
	o := document(value, "checkpoint", "kid", "notices_hash", "origin", "prev_checkpoint_hash", "root_hash",
		"sequence", "signature", "timestamp", "tree_size")
	o.hash("kid")
	parseURL(o.text("signature"), 64)
	c := &checkpoint{o, parseOrigin(o.text("origin")), o.hash("root_hash"), o.text("kid"), sha(formatJSON(o)),
		o.integer("tree_size"), o.integer("sequence"), o.time("timestamp"), o.hash("notices_hash")}
	previous := o.optionalHash("prev_checkpoint_hash")
	refuseIf((c.sequence == 0) != (previous == ""))
	refuseIf(c.sequence == 0 && c.size != 0 || c.size == 0 && c.root != sha(nil))
	return c
}

func parseCheckpoint(data []byte) *checkpoint { return takeCheckpoint(parseJSON(data, maxDocument)) }

func (c *checkpoint) signedBy(key string) bool {
	return verifies(key, parseURL(c.text("signature"), 64), c.unsigned())
}

type registryReceipt struct {
	leaf       *leaf
	stated     string // leaf hash
	index      int64
	path       []string
	checkpoint *checkpoint
	note       *note
}

func parseRegistryReceipt(data []byte) *registryReceipt {
	o := document(parseJSON(data, maxDocument), "registry-receipt", "audit_path", "leaf", "leaf_index", "checkpoint", "note")
	r := &registryReceipt{}
	refuseIf(len(o.array("audit_path")) > 53)
	for _, item := range o.array("audit_path") {
		text, ok := item.(string)
		refuseIf(!ok)
		r.path = append(r.path, parseHash(text))
	}
	r.leaf, r.stated = takeRecord(o["leaf"])
	r.index = o.integer("leaf_index")
	r.checkpoint = takeCheckpoint(o["checkpoint"])
	text := o.text("note")
	if word := reading("note-malformed", func() { r.note = parseNote(text) }); word != "" {
		panic(fault{word})
	}
	return r
}

func formatTime(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05Z") }
