package page

import (
	"slices"
	"strings"
	"time"
)

// record is one event as the log of the program says that it was committed to the ledger. The log says less than the
// ledger holds: who, what and with which outcome.
type record struct {
	At      time.Time `json:"at"`
	Seq     string    `json:"seq"`
	Kind    string    `json:"kind"`
	Grant   string    `json:"grant"`
	Outcome string    `json:"outcome"`
	Says    string    `json:"says"`  // a sentence
	Actor   string    `json:"actor"` // a first name, or the part of the program
	Bad     bool      `json:"bad"`   // something that must not happen every day
}

// shownRecords is how many the page keeps.
const shownRecords = 200

// book collects records. The log names whom a grant is for and which role only at its beginning, so that is remembered.
type book struct {
	cast  []Person
	list  []record
	whose map[string]string // first name by grant
	roles map[string]string // by grant
}

func newBook(cast []Person) *book {
	return &book{cast: cast, whose: map[string]string{}, roles: map[string]string{}}
}

// records returns a copy of them, the oldest first.
func (b *book) records() []record { return append([]record{}, b.list...) }

// enter takes the fields of a line, if it says that an event was committed.
func (b *book) enter(said map[string]string) bool {
	at, err := time.Parse(time.RFC3339, said["time"])
	if said["msg"] != "recorded" || err != nil {
		return false
	}
	actor := said["part"]
	if p, ok := member(b.cast, said["person"]); ok {
		actor = p.first()
	}
	grant, kind := said["grant"], said["kind"]
	if kind == "asked" {
		b.whose[grant] = actor
	}
	if said["role"] != "" {
		b.roles[grant] = said["role"]
	}
	r := record{
		At: at, Seq: said["seq"], Kind: plainly(kind), Grant: grant, Outcome: plainly(said["outcome"]), Actor: actor, Says: b.sentence(kind, actor, said),
		Bad: slices.Contains([]string{"failing", "dead_use", "overheard", "clock_jumped"}, kind),
	}
	b.list = append(b.list, r)
	b.list = b.list[max(0, len(b.list)-shownRecords):]
	return true
}

// sentence says an event in words. A kind that has none is said by its name.
func (b *book) sentence(kind, actor string, said map[string]string) string {
	sentence, ok := sentences()[kind]
	if !ok {
		sentence = strings.TrimSpace(plainly(kind) + " " + said["outcome"])
	}
	text := func(key, none string) string {
		if said[key] == "" {
			return none
		}
		return plainly(said[key])
	}
	name := func(names map[string]string, none string) string {
		if names[said["grant"]] == "" {
			return none
		}
		return names[said["grant"]]
	}
	return strings.NewReplacer(
		"ACTOR", actor, "WHOSE", name(b.whose, "somebody"), "ROLE", name(b.roles, "a role"),
		"OUTCOME", text("outcome", "over"), "EVIDENCE", text("evidence", "dead"),
	).Replace(sentence)
}

// sentences say the kinds of events. Words in capitals are filled in.
func sentences() map[string]string {
	return map[string]string{
		"started":       "the program started",
		"loaded":        "other roles were loaded",
		"directory":     "people were read, or changed",
		"rejected":      "something that ACTOR pressed or typed was refused",
		"asked":         "WHOSE asked",
		"pending":       "ROLE for WHOSE waits for a yes",
		"voted":         "ACTOR voted on ROLE for WHOSE",
		"opened":        "ROLE is open for WHOSE",
		"refused":       "ROLE was refused to WHOSE",
		"denied":        "ROLE was denied to WHOSE",
		"explained":     "ACTOR said why",
		"lapsed":        "nobody decided on ROLE for WHOSE",
		"withdrawn":     "WHOSE withdrew the request",
		"shift_changed": "the shift behind ROLE for WHOSE changed",
		"issuing":       "a token is being made for WHOSE",
		"live":          "a token of ROLE lives",
		"retiring":      "a token of ROLE is being ended",
		"undelivered":   "Slack did not confirm that it showed a token",
		"gone":          "a token of ROLE is proven dead: EVIDENCE",
		"closing":       "ROLE for WHOSE ends: OUTCOME",
		"closed":        "ROLE for WHOSE is over: OUTCOME",
		"person_gone":   "WHOSE may not have ROLE any more",
		"dead_use":      "somebody used a dead token of ROLE",
		"failing":       "a token of ROLE could not be ended yet",
		"recovered":     "ending a token of ROLE works again",
		"swallowed":     "the limits refused presses and commands",
		"overheard":     "somebody else listens with the app's token",
		"clock_jumped":  "the clock jumped",
		"paged":         "somebody is paged",
		"page_over":     "what somebody was paged about is over",

		"extension_asked":     "ACTOR asked for more time for ROLE",
		"extension_pending":   "more time for ROLE waits for a yes",
		"extension_refused":   "more time for ROLE was refused to WHOSE",
		"extension_voted":     "ACTOR voted on more time for ROLE for WHOSE",
		"extension_denied":    "more time for ROLE was denied to WHOSE",
		"extension_lapsed":    "nobody decided on more time for ROLE for WHOSE",
		"extension_withdrawn": "WHOSE wants no more time for ROLE",
		"extended":            "WHOSE has ROLE for longer",
	}
}

// plainly is a word of the log without its underscores.
func plainly(word string) string { return strings.ReplaceAll(word, "_", " ") }
