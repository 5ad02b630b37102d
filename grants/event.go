package grants

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Kind is what an event records. The kinds of a grant's life are the rows of its
// transition table.
type Kind string

// A grant's events.
const (
	KindAsked       Kind = "asked"
	KindPending     Kind = "pending"
	KindOpened      Kind = "opened"
	KindRefused     Kind = "refused"
	KindVoted       Kind = "voted"
	KindDenied      Kind = "denied"
	KindExplained   Kind = "explained" // whoever denied it said why; their words lie beside the leaf
	KindLapsed      Kind = "lapsed"
	KindWithdrawn   Kind = "withdrawn"
	KindGonePerson  Kind = "person_gone"
	KindIssuing     Kind = "issuing"
	KindLive        Kind = "live"
	KindRetiring    Kind = "retiring"
	KindUndelivered Kind = "undelivered"
	KindGone        Kind = "gone"
	KindShift       Kind = "shift_changed"
	KindClosing     Kind = "closing"
	KindClosed      Kind = "closed"
)

// The events of an extension of an open grant.
const (
	KindExtensionAsked     Kind = "extension_asked"
	KindExtensionPending   Kind = "extension_pending"
	KindExtensionRefused   Kind = "extension_refused"
	KindExtensionVoted     Kind = "extension_voted"
	KindExtensionDenied    Kind = "extension_denied"
	KindExtensionLapsed    Kind = "extension_lapsed"
	KindExtensionWithdrawn Kind = "extension_withdrawn"
	KindExtended           Kind = "extended"
)

// Events that leave every grant as it is.
const (
	KindStarted   Kind = "started"   // the service, with its configuration's digest
	KindLoaded    Kind = "loaded"    // other roles, while it runs; Detail: which
	KindDirectory Kind = "directory" // people were pinned, changed or lost
	KindRejected  Kind = "rejected"  // a press or command that was refused before it touched a grant
	KindSwallowed Kind = "swallowed" // how many envelopes the limits refused in a minute
	KindFailing   Kind = "failing"   // the first failure of a revocation; the grant's document stays
	KindRecovered Kind = "recovered" // and its end
	KindDeadUse   Kind = "dead_use"  // somebody used a credential after its end
	KindOverheard Kind = "overheard" // others listen with our app token
	KindClock     Kind = "clock_jumped"
	KindPaged     Kind = "paged"     // a human was woken; Detail: the cause, Count: for which time
	KindPageOver  Kind = "page_over" // and told that it is over
)

// Actor is who caused an event: a person, or a part of the service by its name.
type Actor struct {
	Person PersonKey `json:"person,omitempty"`
	System string    `json:"system,omitempty"`
}

// Event is one immutable record, a leaf of the log.
type Event struct {
	V     int       `json:"v"`
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`
	Actor Actor     `json:"actor"`

	Grant      string   `json:"grant,omitempty"`
	Doc        string   `json:"doc,omitempty"` // SHA-256 of the grant document that it leaves, in hex
	Credential string   `json:"credential,omitempty"`
	Evidence   Finding  `json:"evidence,omitempty"`
	Outcome    Outcome  `json:"outcome,omitempty"`
	Vote       *Vote    `json:"vote,omitempty"`
	Input      *Input   `json:"input,omitempty"` // a decision's whole input
	Verdict    *Verdict `json:"verdict,omitempty"`
	Reasons    []Reason `json:"reasons,omitempty"`
	Config     string   `json:"config,omitempty"` // digest of the configuration
	Text       string   `json:"text,omitempty"`   // salted SHA-256 of what a person typed, which lies beside the leaf
	Detail     string   `json:"detail,omitempty"`
	Count      int      `json:"count,omitempty"`

	Incident   string     `json:"incident,omitempty"`  // kept empty until it is used, as is BreakGlass
	Extension  *Extension `json:"extension,omitempty"` // as the event leaves it
	BreakGlass bool       `json:"break_glass,omitempty"`
}

// Digest hashes a stored document, in hex.
func Digest(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Typed is what a person typed. It is kept beside its event, whose leaf holds only the
// salted hash, so that it can be erased without breaking a proof.
type Typed struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

// Hash is what the leaf holds of it.
func (t Typed) Hash() string { return Digest([]byte(t.Salt + "\x00" + t.Text)) }

// Encode makes the bytes that are stored and hashed. encoding/json writes struct fields in
// their order and map keys sorted, so equal values give equal bytes.
func Encode(v any) ([]byte, error) { return json.Marshal(v) }

// DecodeGrant reads a stored grant of any version that was ever written.
func DecodeGrant(b []byte) (g Grant, err error) {
	err = decode(b, &g, &g.V)
	return g, err
}

// DecodeEvent reads a stored event of any version that was ever written.
func DecodeEvent(b []byte) (e Event, err error) {
	err = decode(b, &e, &e.V)
	return e, err
}

// decode reads JSON of a known version.
func decode(b []byte, into any, version *int) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("decoding a stored record: %w", err)
	}
	if *version < 1 || *version > Version {
		return fmt.Errorf("decoding a stored record: version %d is unknown to this program, which reads 1 to %d", *version, Version)
	}
	return nil
}
