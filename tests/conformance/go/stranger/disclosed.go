// Disclosed records (REG-1.0 section 13).
package main

import "sort"

const disclosureFile = "disclosure.json"

type disclosure struct {
	file file
	root string
}

func parseDisclosure(data []byte) *disclosure {
	o := document(parseJSON(data, maxDocument), "disclosure", "file", "audit_path")
	entry := exactly(o["file"], "path", "salt", "sha256", "size")
	parseURL(entry.text("salt"), 16)
	d := &disclosure{file: file{entry.text("path"), entry.hash("sha256"), entry.integer("size")}}
	refuseIf(!isRecord(d.file.path) || len(o.array("audit_path")) > 10)
	d.root = leafHash(formatJSON(entry))
	for _, item := range o.array("audit_path") {
		sibling := exactly(item, "hash", "side")
		switch hash := sibling.hash("hash"); sibling.text("side") {
		case "left":
			d.root = nodeHash(hash, d.root)
		case "right":
			d.root = nodeHash(d.root, hash)
		default:
			refuse()
		}
	}
	return d
}

// isDisclosedMember: section 13.1 in place of section 6.1.
func isDisclosedMember(name string) bool {
	switch name {
	case disclosureFile, receiptFile, nonceFile, nonceCheckFile, registryFile:
		return true
	}
	return isRecord(name)
}

func (e *evidence) disclosedListing(s *step) {
	d := e.disclosure.open(s)
	wanted := []string{receiptFile, nonceFile, d.file.path}
	sort.Strings(wanted)
	for _, name := range wanted {
		if _, there := e.kit.members[name]; !there {
			s.fail("file-missing", name)
		}
	}
	for _, name := range e.kit.names {
		if isRecord(name) && name != d.file.path {
			s.fail("file-unexpected", name)
		}
	}
}

func (e *evidence) disclosedFile(s *step) { e.file(s, e.disclosure.need(s).file) }

func (e *evidence) disclosedRoot(s *step) {
	if e.disclosure.need(s).root != e.receipt.need(s).hash("manifest_root") {
		s.fail("manifest-root-mismatch", disclosureFile, receiptFile)
	}
}

func (e *evidence) disclosedBinding(s *step) {
	e.nonceHash(s, e.receipt.open(s))
}
