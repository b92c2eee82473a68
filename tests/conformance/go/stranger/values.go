// The spelling of values, and the shape of documents (REG-1.0 sections 2.1 to 2.6).
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	originForm  = regexp.MustCompile(`\A[a-z0-9.-]+(/[a-z0-9._-]+)*\z`)
	laneForm    = regexp.MustCompile(`\A[A-Z][A-Z0-9]{1,15}(-[0-9]{2})?\z`)
	profileForm = regexp.MustCompile(`\A[a-z][a-z0-9-]{1,47}\z`)
	kitForm     = regexp.MustCompile(`\Akit_[0-7][0-9A-HJKMNP-TV-Z]{25}\z`)
	decimalForm = regexp.MustCompile(`\A(0|[1-9][0-9]{0,18})\z`)
	timeForm    = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\z`)
	newerForm   = regexp.MustCompile(`\A([2-9]|[1-9][0-9]{1,8})\z`)
)

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return string(sum[:])
}

func url(data string) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) }

func parseURL(text string, length int) string {
	data, err := base64.RawURLEncoding.DecodeString(text)
	refuseIf(err != nil || len(data) != length || url(string(data)) != text)
	return string(data)
}

func parseHash(text string) string { return parseURL(text, 32) }

func parseBase64(text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	refuseIf(err != nil || len(data) == 0 || base64.StdEncoding.EncodeToString(data) != text)
	return string(data)
}

func parseDecimal(text string, maximum int64) int64 {
	refuseIf(!decimalForm.MatchString(text))
	number, err := strconv.ParseInt(text, 10, 64)
	refuseIf(err != nil || number > maximum)
	return number
}

// parseTime gives POSIX seconds.
func parseTime(text string) int64 {
	refuseIf(!timeForm.MatchString(text))
	when, err := time.Parse("2006-01-02T15:04:05Z", text)
	refuseIf(err != nil || when.Year() < 1970 || when.Format("2006-01-02T15:04:05Z") != text)
	return when.Unix()
}

func matching(form *regexp.Regexp) func(string) string {
	return func(text string) string {
		refuseIf(!form.MatchString(text))
		return text
	}
}

func parseOrigin(text string) string {
	refuseIf(!originForm.MatchString(text) || len(text) > 255)
	return text
}

// schemaOf looks at the schema member only; it panics with schema-newer or refuses (section 2.5, 1 and 2).
func schemaOf(value any, name string) object {
	members, ok := value.(object)
	refuseIf(!ok)
	schema, ok := members["schema"].(string)
	refuseIf(!ok)
	number, known := strings.CutPrefix(schema, "attestlayer/"+name+"/")
	refuseIf(!known)
	if newerForm.MatchString(number) {
		panic(fault{"schema-newer"})
	}
	refuseIf(number != "1")
	return members
}

// document reads the schema and that there are exactly these members beside it.
func document(value any, name string, names ...string) object {
	members := schemaOf(value, name)
	return exactly(members, append([]string{"schema"}, names...)...)
}

func exactly(value any, names ...string) object {
	members, ok := value.(object)
	refuseIf(!ok || len(members) != len(names))
	for _, name := range names {
		_, there := members[name]
		refuseIf(!there)
	}
	return members
}

func (o object) text(name string) string {
	text, ok := o[name].(string)
	refuseIf(!ok)
	return text
}

func (o object) integer(name string) int64 {
	number, ok := o[name].(int64)
	refuseIf(!ok)
	return number
}

func (o object) array(name string) []any {
	items, ok := o[name].([]any)
	refuseIf(!ok)
	return items
}

func (o object) hash(name string) string { return parseHash(o.text(name)) }

func (o object) time(name string) int64 { return parseTime(o.text(name)) }

func (o object) constant(name, wanted string) { refuseIf(o.text(name) != wanted) }

// optionalHash gives "" for null.
func (o object) optionalHash(name string) string {
	if o[name] == nil {
		return ""
	}
	return o.hash(name)
}

// optionalTime gives nil for null.
func (o object) optionalTime(name string) *int64 {
	if o[name] == nil {
		return nil
	}
	at := o.time(name)
	return &at
}

// unsigned is what a signature is over (section 2.6).
func (o object) unsigned() []byte {
	rest := object{}
	for name, value := range o {
		if name != "signature" {
			rest[name] = value
		}
	}
	return formatJSON(rest)
}
