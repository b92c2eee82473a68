// Notices, the keys that they yield, trust roots, JWKS (REG-1.0 sections 9.3 to 9.6).
package main

const (
	maxNotices      = 10_000
	maxNoticesBytes = 4 << 20
	maxTrust        = 5 << 20
)

type key struct {
	role, kid, public string
	from              int64
	until, revoked    *int64
}

func (k *key) counts(at int64) bool { return k.from <= at && (k.until == nil || at < *k.until) }

func (k *key) revokedAt(at int64) bool { return k.revoked != nil && at >= *k.revoked }

type dated struct {
	from   int64
	policy *policy
}

// standing is what notices yield. trusted is nil with a JWKS alone, now where nobody tells the time.
type standing struct {
	origin     string
	keys       []*key
	policies   []dated
	withdrawn  map[string]bool
	superseded map[string]bool
	late       [][2]int64
	trusted    *checkpoint
	now        *int64
}

func (s *standing) key(role, kid string) *key {
	for _, k := range s.keys {
		if k.kid == kid && k.role == role {
			return k
		}
	}
	return nil
}

func (s *standing) policyAt(at int64) *policy {
	found := &policy{quorum: "none"}
	for _, each := range s.policies {
		if each.from <= at {
			found = each.policy
		}
	}
	return found
}

// identity is the log's: its origin and the key that signed the checkpoint, as a verifier key (section 9.6).
func (s *standing) identity() string {
	v := verifierKey{s.origin, typeSignature, s.key("registry", s.trusted.kid).public}
	return v.text()
}

func takeJWK(value any) (kid, public string) {
	o := exactly(value, "crv", "kid", "kty", "use", "x")
	o.constant("crv", "Ed25519")
	o.constant("kty", "OKP")
	o.constant("use", "sig")
	public = publicKey(parseURL(o.text("x"), 32))
	o.constant("kid", kidOf(public))
	return o.text("kid"), public
}

var closed = map[string]map[string]bool{
	"key.revoked":   {"key-compromised": true, "key-lost": true, "key-misused": true},
	"kit.withdrawn": {"issued-in-error": true, "records-in-error": true, "requested-by-partner": true, "key-revoked": true},
	"incident": {"outage": true, "overload": true, "witnesses-unavailable": true, "key-revoked": true,
		"software-fault": true},
	"kind": {"late-merge": true, "voided-by-revocation": true, "wrong-entry": true},
}

var noticeData = map[string][]string{
	"key.added":      {"role", "jwk", "valid_from"},
	"key.retired":    {"kid", "valid_until"},
	"key.revoked":    {"kid", "revoked_at", "reason"},
	"witness.policy": {"valid_from", "policy"},
	"kit.withdrawn":  {"leaf_hash", "reason"},
	"kit.superseded": {"leaf_hash", "by"},
	"incident":       {"kind", "from_index", "to_index", "reason"},
}

// takeNotices reads the document's form; what notices contradict is for yield.
func takeNotices(value any) object {
	o := document(value, "notices", "notices", "origin")
	parseOrigin(o.text("origin"))
	seen, last := map[string]bool{}, int64(0)
	refuseIf(len(o.array("notices")) > maxNotices)
	for i, item := range o.array("notices") {
		notice := exactly(item, "n", "at", "type", "data")
		refuseIf(notice.integer("n") != int64(i) || notice.time("at") < last)
		last = notice.time("at")
		names, known := noticeData[notice.text("type")]
		refuseIf(!known)
		data := exactly(notice["data"], names...)
		for _, name := range names {
			takeNoticeMember(notice.text("type"), data, name)
		}
		if notice.text("type") == "incident" {
			refuseIf(data.integer("from_index") > data.integer("to_index"))
		}
		content := notice.text("type") + string(formatJSON(data))
		refuseIf(seen[content])
		seen[content] = true
	}
	return o
}

func takeNoticeMember(kind string, data object, name string) {
	switch name {
	case "role":
		refuseIf(data.text(name) != "registry" && data.text(name) != "issuer")
	case "jwk":
		takeJWK(data[name])
	case "valid_from", "valid_until", "revoked_at":
		data.time(name)
	case "kid", "leaf_hash", "by":
		data.hash(name)
	case "policy":
		parsePolicy(data.text(name))
	case "from_index", "to_index":
		data.integer(name)
	case "kind":
		refuseIf(!closed["kind"][data.text(name)])
	case "reason":
		refuseIf(!closed[kind][data.text(name)])
	}
}

// yield is the standing that notices make, or a refusal if they contradict each other.
func yield(document object) *standing {
	s := &standing{origin: document.text("origin"), withdrawn: map[string]bool{}, superseded: map[string]bool{}}
	known, witness := map[string]*key{}, map[string]bool{}
	for _, item := range document.array("notices") {
		notice := item.(object)
		data := notice["data"].(object)
		switch notice.text("type") {
		case "key.added":
			kid, public := takeJWK(data["jwk"])
			refuseIf(known[kid] != nil || witness[public])
			known[kid] = &key{role: data.text("role"), kid: kid, public: public, from: data.time("valid_from")}
			s.keys = append(s.keys, known[kid])
		case "key.retired":
			k := known[data.text("kid")]
			refuseIf(k == nil)
			k.until = earliest(k.until, data.time("valid_until"))
		case "key.revoked":
			k := known[data.text("kid")]
			refuseIf(k == nil)
			k.revoked = earliest(k.revoked, data.time("revoked_at"))
		case "witness.policy":
			each := dated{data.time("valid_from"), parsePolicy(data.text("policy"))}
			refuseIf(len(s.policies) > 0 && each.from < s.policies[len(s.policies)-1].from)
			for _, w := range each.policy.witnesses {
				refuseIf(known[kidOf(w.key)] != nil)
				witness[w.key] = true
			}
			s.policies = append(s.policies, each)
		case "kit.withdrawn":
			s.withdrawn[data.hash("leaf_hash")] = true
		case "kit.superseded":
			s.superseded[data.hash("leaf_hash")] = true
		case "incident":
			if data.text("kind") == "late-merge" {
				s.late = append(s.late, [2]int64{data.integer("from_index"), data.integer("to_index")})
			}
		}
	}
	return s
}

func earliest(one *int64, other int64) *int64 {
	if one != nil && *one < other {
		return one
	}
	return &other
}

func parseTrust(data []byte) *standing {
	o := document(parseJSON(data, maxTrust), "trust", "checkpoint", "notices", "origin")
	c := takeCheckpoint(o["checkpoint"])
	notices := takeNotices(o["notices"])
	s := yield(notices)
	refuseIf(parseOrigin(o.text("origin")) != c.origin || c.origin != s.origin)
	canonical := formatJSON(notices)
	refuseIf(len(canonical) > maxNoticesBytes || sha(canonical) != c.notices)
	k := s.key("registry", c.kid)
	refuseIf(k == nil || !k.counts(c.at) || k.revokedAt(c.at) || !c.signedBy(k.public))
	s.trusted = c
	return s
}

func parseJWKS(data []byte, origin string) *standing {
	s := &standing{origin: origin}
	for _, item := range exactly(parseJSON(data, maxDocument), "keys").array("keys") {
		o := exactly(item, "crv", "kid", "kty", "use", "x", "valid_from", "valid_until", "revoked_at")
		kid, public := takeJWK(object{"crv": o["crv"], "kid": o["kid"], "kty": o["kty"], "use": o["use"], "x": o["x"]})
		refuseIf(s.key("registry", kid) != nil)
		s.keys = append(s.keys, &key{"registry", kid, public, o.time("valid_from"),
			o.optionalTime("valid_until"), o.optionalTime("revoked_at")})
	}
	return s
}
