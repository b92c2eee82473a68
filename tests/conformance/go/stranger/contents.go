// What a folder or a ZIP holds: leftovers, the top folder, members, limits (REG-1.0 sections 6.2 and 6.6).
package main

import (
	"sort"
	"strings"
)

const (
	kilo = 1 << 10
	mega = 1 << 20

	maxEntries      = 3100
	maxZip          = 192 * mega
	maxDirectory    = 4 * mega
	maxRecords      = 100 * mega
	maxIgnored      = 2000
	maxIgnoredBytes = 16 * mega
)

// source is a file of a folder or a ZIP, which is not read yet.
type source struct {
	path    string
	size    uint64
	content func() []byte
}

type member struct {
	data []byte
	hash string
}

type kit struct {
	members    map[string]member
	names      []string // of members, in byte order
	unexpected []string // in byte order
	ignored    []string // in byte order
	stripped   bool     // the top folder was taken off
	repacked   bool     // of a ZIP
}

func overLimit(files ...string) {
	panic(about("container-limit-exceeded", files...))
}

// takeContents makes a kit of the files. Nothing is read before all limits hold.
func takeContents(files []source) *kit {
	k := &kit{members: map[string]member{}}
	var rest []source
	bytes := uint64(0)
	for _, each := range files {
		if isIgnored(each.path, each.size) {
			k.ignored = append(k.ignored, each.path)
			bytes += each.size
		} else {
			rest = append(rest, each)
		}
	}
	sort.Strings(k.ignored)
	if len(k.ignored) > maxIgnored || bytes > maxIgnoredBytes {
		overLimit()
	}
	rest, stripped := withoutTop(rest)
	if hasKits(rest) {
		panic(about("input-not-a-kit"))
	}
	k.stripped = stripped
	k.takeMembers(rest)
	return k
}

// isIgnored: what systems and programs leave behind.
func isIgnored(path string, size uint64) bool {
	path = folded(path)
	last := lastPart(path)
	if strings.Contains("/"+path, "/@eadir/") {
		return size <= mega && (strings.Contains(last, "@syno") || strings.HasPrefix(last, "syno"))
	}
	switch last {
	case ".ds_store", "thumbs.db", "ehthumbs.db":
		return size <= mega
	case "desktop.ini", ".localized", ".directory", "icon\r":
		return size <= 4*kilo
	}
	if strings.HasPrefix(last, "._") {
		return size <= mega
	}
	locked := strings.HasPrefix(last, ".~lock.") && strings.HasSuffix(last, "#")
	small := strings.HasPrefix(last, "~$") || locked || strings.HasSuffix(last, ":zone.identifier")
	return small && size <= 4*kilo
}

// withoutTop takes off the part with which all paths begin.
func withoutTop(files []source) ([]source, bool) {
	if len(files) == 0 {
		return files, false
	}
	top, _, below := strings.Cut(files[0].path, "/")
	for _, each := range files {
		below = below && strings.HasPrefix(each.path, top+"/")
	}
	if !below {
		return files, false
	}
	var found []source
	for _, each := range files {
		each.path = each.path[len(top)+1:]
		found = append(found, each)
	}
	return found, true
}

// hasKits: it is no kit, but holds some.
func hasKits(files []source) bool {
	found := false
	for _, each := range files {
		folder, name, below := strings.Cut(each.path, "/")
		switch {
		case each.path == receiptFile || each.path == disclosureFile:
			return false
		case !below:
			found = found || strings.HasSuffix(folded(folder), ".zip")
		default:
			found = found || name == receiptFile || name == disclosureFile
		}
	}
	return found
}

// takeMembers holds members against the limits, all of them, and then reads them.
func (k *kit) takeMembers(files []source) {
	sort.Slice(files, func(i, j int) bool { return files[i].path < files[j].path })
	belongs := isMember
	for _, each := range files {
		if each.path == disclosureFile {
			belongs = isDisclosedMember
		}
	}
	var members []source
	for _, each := range files {
		if belongs(each.path) {
			members = append(members, each)
		} else {
			k.unexpected = append(k.unexpected, each.path)
		}
	}
	records := uint64(0)
	for _, each := range members {
		if isRecord(each.path) {
			records += each.size
		}
		if each.size > limitOf(each.path) || records > maxRecords {
			overLimit(each.path)
		}
	}
	for _, each := range members {
		data := each.content()
		k.members[each.path] = member{data, sha(data)}
		k.names = append(k.names, each.path)
	}
}

func limitOf(name string) uint64 {
	switch {
	case isRecord(name):
		return maxRecords
	case name == "binder.pdf" || name == reportFile:
		return 16 * mega
	case name == manifestFile || name == trailFile:
		return 2 * mega
	case name == registryFile:
		return 256 * kilo
	}
	return 64 * kilo
}

func (k *kit) disclosed() bool {
	_, there := k.members[disclosureFile]
	return there
}
