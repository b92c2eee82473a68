// The names of a ZIP's entries (REG-1.0 section 6.8, names; headers, rule 9).
package main

import "strings"

// folded has A to Z in lower case, and nothing else changed.
func folded(name string) string {
	out := []byte(name)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// readNames gives each entry its path, and tells folders.
func readNames(entries []*entry) {
	slashed := false
	for _, e := range entries {
		slashed = slashed || strings.Contains(e.name, "/")
	}
	var names []string
	files := map[string]bool{}
	for _, e := range entries {
		name := e.name
		if !slashed && e.madeOn == 0 {
			name = strings.ReplaceAll(name, `\`, "/")
		}
		if e.isRoot = name == "./"; e.isRoot {
			e.isFolder = true
			continue
		}
		name = strings.TrimPrefix(name, "./")
		e.path, e.isFolder = strings.CutSuffix(name, "/")
		checkPath(e.path)
		names = append(names, folded(name))
		if !e.isFolder {
			files[folded(e.path)] = true
		}
	}
	checkNames(names, files)
}

// checkPath is rules 1 and 2.
func checkPath(path string) {
	for _, part := range strings.Split(path, "/") {
		refuseIf(part == "" || part == "." || part == "..")
	}
	looked := path
	switch last := folded(lastPart(path)); {
	case last == "icon\r" || last == "._icon\r":
		looked = strings.TrimSuffix(path, "\r")
	case strings.HasSuffix(last, ":zone.identifier"):
		looked = path[:len(path)-len(":zone.identifier")]
	}
	for i := 0; i < len(looked); i++ {
		c := looked[i]
		refuseIf(c < 0x20 || c == 0x7f || c == '\\' || c == ':')
	}
}

// checkNames is rule 3.
func checkNames(names []string, files map[string]bool) {
	seen := map[string]bool{}
	for _, name := range names {
		refuseIf(seen[name])
		seen[name] = true
		for i := range len(name) {
			refuseIf(name[i] == '/' && files[name[:i]])
		}
	}
}

// checkKind: a folder states nothing and is of no file's type; a file is of no folder's.
func (e *entry) checkKind() {
	kind := e.attributes >> 28
	if e.isFolder {
		refuseIf(e.size != 0 || e.crc != 0 || kind == typeFile)
	} else {
		refuseIf(kind == typeFolder || e.attributes&(1<<4) != 0)
	}
}
