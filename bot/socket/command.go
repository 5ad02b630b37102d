package socket

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"nightlatch/bot/view"
)

// Verb is what a person wants.
type Verb string

// The verbs. Those that take access away pass every limit.
const (
	Ask      Verb = view.Ask
	Form     Verb = view.OpenForm // open the form of a request
	More     Verb = view.OpenMore // open the form of an extension
	Extend   Verb = view.Extend
	Help     Verb = "help"
	Show     Verb = "show" // list one's own requests and grants
	Usage    Verb = "usage"
	Approve  Verb = view.Approve
	Deny     Verb = view.Deny
	Revoke   Verb = view.Revoke
	Withdraw Verb = view.Withdraw
	Return   Verb = view.Return
	Reveal   Verb = view.Reveal
	Replace  Verb = view.Replace
	OpenHome Verb = "open_home"
	Explain  Verb = view.TellWhy
	Nothing  Verb = "nothing" // to be acknowledged, no more

	// What security does with the directory.
	ListPeople    Verb = "people_list"
	ApprovePerson Verb = "people_approve"
	FreezePerson  Verb = "people_freeze"

	// What Slack says of its people.
	UserChanged      Verb = "user_changed"
	DirectoryChanged Verb = "directory_changed"
)

// takesAway reports whether a verb ends or refuses access, which nothing may hold up.
func (v Verb) takesAway() bool {
	return v == Deny || v == Revoke || v == Withdraw || v == Return || v == FreezePerson
}

// opens reports whether a verb opens a form, before anything else is done.
func (v Verb) opens() bool { return v == Form || v == More }

// reveals reports whether a verb shows a secret, in a modal that is opened first.
func (v Verb) reveals() bool { return v == Reveal || v == Replace }

// Line is a command's text, understood.
type Line struct {
	Verb     Verb
	Role     string
	Duration time.Duration // zero: none was written
	Reason   string
	Whom     string // the Slack user ID of whom security means
}

// Bounds of what can be typed. Both leave room in everything that shows or keeps it.
const (
	longestRole   = 80 // characters
	longestReason = view.LongestReason
)

const example = "Write it like this: `/access orders-read 1h30m checkout is failing`."

// ParseLine reads the text after /access: nothing, help, show, what
// security does with people, extend and perhaps ROLE, DURATION and REASON, or ROLE, perhaps a DURATION, and the REASON. Its
// errors are view.UsageErrors, for the person who typed it.
func ParseLine(text string) (Line, error) {
	if words := strings.Fields(text); len(words) > 0 && strings.EqualFold(words[0], "people") {
		return parsePeople(words[1:]) // people as accounts, before they become what was seen
	}
	words := strings.Fields(plainText(text))
	switch {
	case len(words) == 0:
		return Line{Verb: Form}, nil
	case len(words) == 1 && strings.EqualFold(words[0], "help"):
		return Line{Verb: Help}, nil
	case len(words) == 1 && strings.EqualFold(words[0], "show"):
		return Line{Verb: Show}, nil
	case strings.EqualFold(words[0], "extend"):
		return parseAsk(Line{Verb: Extend}, words[1:])
	}
	return parseAsk(Line{Verb: Ask}, words)
}

// parseAsk reads a role, a duration and a reason. Only an extension may leave out the role.
func parseAsk(line Line, rest []string) (Line, error) {
	lasts := func() bool { return len(rest) > 0 && durationLike.MatchString(rest[0]) }
	if len(rest) > 0 && (line.Verb == Ask || !lasts()) {
		line.Role, rest = rest[0], rest[1:]
	}
	if utf8.RuneCountInString(line.Role) > longestRole {
		return Line{}, view.UsageError("There is no role with a name that long. `/access help` lists what you can ask for.")
	}
	if lasts() {
		d, err := parseDuration(rest[0])
		if err != nil {
			return Line{}, err
		}
		line.Duration, rest = d, rest[1:]
	}
	line.Reason = strings.Join(rest, " ")
	if err := tooLong(line.Reason); err != nil {
		return Line{}, err
	}
	return line, nil
}

// durationLike are words that somebody meant as a duration, well written or not. Others,
// such as "5xx", begin the reason.
var durationLike = regexp.MustCompile(`^(?i)[-+]?\d+([.,:]\d+)?((s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(\d+(m|mins?|minutes?|s|secs?)?)*)?$`)

// durationForm is how a duration is written.
var durationForm = regexp.MustCompile(`^(\d{1,4}h)?(\d{1,5}m)?(\d{1,5}s)?$`)

func parseDuration(word string) (time.Duration, error) {
	if durationForm.MatchString(word) {
		if d, err := time.ParseDuration(word); err == nil && d > 0 {
			return d, nil
		}
	}
	return 0, view.UsageError("The duration is written 30m, 1h or 1h30m, so nothing was asked. " + example)
}

// markup is what Slack makes of links, people and channels in a command's text. A typed
// angle bracket arrives escaped, so these are Slack's own.
var markup = regexp.MustCompile(`<([^<>]*)>`)

// plainText turns Slack's markup into what the person saw when they typed it.
func plainText(text string) string {
	text = markup.ReplaceAllStringFunc(text, func(m string) string {
		target, label, labelled := strings.Cut(m[1:len(m)-1], "|")
		label = strings.TrimLeft(label, "@#")
		if !labelled || label == "" {
			label = strings.TrimLeft(target, "@#!")
		}
		switch {
		case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "!"):
			return "@" + label
		case strings.HasPrefix(target, "#"):
			return "#" + label
		case strings.HasPrefix(target, "mailto:"):
			return strings.TrimPrefix(target, "mailto:")
		}
		return target // a link: where it leads, not what it says
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
