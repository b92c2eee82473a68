// How steps run (REG-1.0 section 12.3), verdict, and what a report says.
package main

type step struct {
	Status   string    `json:"status"`
	Failures []failure `json:"failures"`
	Remarks  []string  `json:"remarks"`
	Unproven bool      `json:"unproven"`

	words string // why it proves nothing, if it passes
}

type verdict struct {
	Verdict  string `json:"verdict"`
	ExitCode int    `json:"exit_code"`
	Said     *said  `json:"said"`
	Steps    []step `json:"steps"`

	of subject
}

// said is the failure that is said first, and its step's number.
type said struct {
	Step int `json:"step"`
	failure
}

// part ends where it panics with ended.
type ended struct{}

func newStep() *step { return &step{Status: "passed", Failures: []failure{}, Remarks: []string{}} }

func (s *step) fail(word string, files ...string) {
	s.Failures = append(s.Failures, *about(word, files...))
}

func (s *step) failAndEnd(word string, files ...string) {
	s.fail(word, files...)
	panic(ended{})
}

func (s *step) remark(word string) { s.Remarks = append(s.Remarks, word) }

func (s *step) unproven(words string) { s.words = words }

func (s *step) notReached() {
	s.Status = "not-reached"
	panic(ended{})
}

func run(parts ...func(*step)) step {
	s := newStep()
	for _, part := range parts {
		func() {
			defer func() {
				if r := recover(); r != nil {
					if _, ok := r.(ended); !ok {
						panic(r)
					}
				}
			}()
			part(s)
		}()
	}
	if len(s.Failures) > 0 {
		s.Status = "failed"
	}
	s.Unproven = s.Status == "passed" && s.words != ""
	return *s
}

// document is a part of the kit that is read once.
type doc[T any] struct {
	name  string
	value *T
	word  string // why there is no value
}

func read[T any](k *kit, name string, parse func([]byte) *T) *doc[T] {
	d := &doc[T]{name: name}
	m, there := k.members[name]
	if !there {
		d.word = "file-missing"
		if name == registryFile {
			d.word = "registry-receipt-missing"
		}
		return d
	}
	d.word = reading(malformed[name], func() { d.value = parse(m.data) })
	return d
}

var malformed = map[string]string{
	manifestFile:   "manifest-malformed",
	trailFile:      "trail-malformed",
	receiptFile:    "receipt-malformed",
	reportFile:     "report-malformed",
	registryFile:   "registry-receipt-malformed",
	nonceFile:      "nonce-malformed",
	nonceCheckFile: "checkpoint-malformed",
	disclosureFile: "manifest-malformed",
}

func (d *doc[T]) open(s *step) *T {
	if d.value == nil {
		s.failAndEnd(d.word, d.name)
	}
	return d.value
}

func (d *doc[T]) need(s *step) *T {
	if d.value == nil {
		s.notReached()
	}
	return d.value
}

func (k *kit) needFile(s *step, name string) string {
	m, there := k.members[name]
	if !there {
		s.notReached()
	}
	return m.hash
}

var notCheckable = map[string]bool{"input-not-a-kit": true, "input-unreadable": true, "container-incomplete": true,
	"schema-newer": true, "trust-root-unusable": true, "trust-root-outdated": true}

var newerMayExplain = map[string]bool{"issuer-key-unknown": true, "late-merge-unexplained": true}

// outdate gives failures another word if newer notices may explain all of them (section 12.5).
func outdate(steps []step) {
	for _, s := range steps {
		for _, f := range s.Failures {
			if !newerMayExplain[f.Reason] {
				return
			}
		}
	}
	for _, s := range steps {
		for i := range s.Failures {
			s.Failures[i].Reason = "trust-root-outdated"
		}
	}
}

// verdictOf says what the steps come to, if the trust root lacks notices or not.
func verdictOf(steps []step, lacking bool) verdict {
	if lacking {
		outdate(steps)
	}
	found := verdict{Verdict: "VERIFIED", ExitCode: 0, Steps: steps, Said: firstSaid(steps, lacking)}
	for _, s := range steps {
		if s.Status != "passed" && s.Status != "not-checked" {
			found.Verdict, found.ExitCode = "NOT VERIFIED", 3
		}
	}
	if found.Said != nil && notCheckable[found.Said.Reason] {
		found.Verdict, found.ExitCode = "COULD NOT CHECK", 2
	}
	return found
}

// firstSaid is the failure that is said first: the first one of the first group that has any (section 12.5).
func firstSaid(steps []step, lacking bool) *said {
	group := func(f failure) int {
		switch {
		case notCheckable[f.Reason]:
			return 1
		case f.ofOther:
			return 2
		case lacking && newerMayExplain[f.Reason]:
			return 4
		}
		return 3
	}
	var first *said
	last := 5
	for i, s := range steps {
		for _, f := range s.Failures {
			if g := group(f); g < last {
				first, last = &said{i + 1, f}, g
			}
		}
	}
	return first
}

// unopened is the report of what could not be opened: one failure of one step.
func unopened(f *failure, at int, before string, of subject) verdict {
	var steps []step
	for n := 1; n <= 15; n++ {
		s := newStep()
		s.Status = "not-reached"
		if n < at || before == "not-checked" && n == 10 {
			s.Status = before
		}
		if n == at {
			s.Status, s.Failures = "failed", []failure{*f}
		}
		steps = append(steps, *s)
	}
	found := verdictOf(steps, false)
	found.of = of
	return found
}
