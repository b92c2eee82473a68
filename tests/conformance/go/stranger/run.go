// How steps run (REG-1.0 section 12.3), verdict, and what a report says.
package main

type step struct {
	Status   string    `json:"status"`
	Failures []failure `json:"failures"`
	Remarks  []string  `json:"remarks"`
}

type verdict struct {
	Verdict string `json:"verdict"`
	Steps   []step `json:"steps"`
}

// part ends where it panics with ended.
type ended struct{}

func newStep() *step { return &step{Status: "passed", Failures: []failure{}, Remarks: []string{}} }

func (s *step) fail(word string, files ...string) {
	if files == nil {
		files = []string{}
	}
	s.Failures = append(s.Failures, failure{word, files})
}

func (s *step) failAndEnd(word string, files ...string) {
	s.fail(word, files...)
	panic(ended{})
}

func (s *step) remark(word string) { s.Remarks = append(s.Remarks, word) }

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

func verdictOf(steps []step) verdict {
	found := verdict{"VERIFIED", steps}
	for _, s := range steps {
		if s.Status != "passed" && s.Status != "not-checked" {
			found.Verdict = "NOT VERIFIED"
		}
	}
	for _, s := range steps {
		for _, f := range s.Failures {
			switch f.Reason {
			case "input-not-a-kit", "input-unreadable", "schema-newer", "trust-root-unusable":
				found.Verdict = "COULD NOT CHECK"
			}
		}
	}
	return found
}

// unopened is the report of what could not be opened: one failure of one step.
func unopened(f failure, at int, before string) verdict {
	var steps []step
	for n := 1; n <= 15; n++ {
		s := newStep()
		s.Status = "not-reached"
		if n < at || before == "not-checked" && n == 10 {
			s.Status = before
		}
		if n == at {
			s.Status, s.Failures = "failed", []failure{f}
		}
		steps = append(steps, *s)
	}
	return verdictOf(steps)
}
