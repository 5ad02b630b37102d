package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nightlatch/integrations/emulators/slackemu"
)

// clock tells the story's time: the real one, moved. The story begins at 03:12, and jumps once, together with the
// schedule in PagerDuty.
type clock struct {
	began time.Time // real
	moved time.Duration
}

// newClock makes the present second the given time of the story.
func newClock(story time.Time) clock {
	now := time.Now().Truncate(time.Second)
	return clock{began: now, moved: story.Sub(now)}
}

// real is the real time of a time of the story.
func (c clock) real(story time.Time) time.Time { return story.Add(-c.moved) }

// story is the story's time at a real one.
func (c clock) story(real time.Time) time.Time { return real.Add(c.moved).UTC() }

// jump moves the story so that a real time is the given one of it.
func (c *clock) jump(real, story time.Time) { c.moved = story.Sub(real) }

// transcript prints what happens. No two nights differ in it but for times.
type transcript struct {
	w     io.Writer
	clock clock
	names map[string]string // long random IDs, in the order of their appearance
	known map[string]bool   // lines that were shown before, by where
}

const (
	margin = "                   "
	width  = 92 // of a message's text
)

// heading begins the transcript.
func (t *transcript) heading(text string) { fmt.Fprintf(t.w, "%s\n", text) }

// step begins a step: the story's time, the real seconds since the beginning, and what happens.
func (t *transcript) step(says string) {
	now := time.Now()
	lines := wrap(says, width)
	fmt.Fprintf(t.w, "\n%s  %5.1f s  %s\n", t.clock.story(now).Format(time.TimeOnly), now.Sub(t.clock.began).Seconds(), lines[0])
	for _, l := range lines[1:] {
		fmt.Fprintf(t.w, "%s%s\n", margin, l)
	}
}

// deed prints what somebody does.
func (t *transcript) deed(format string, args ...any) { t.item("▸ ", fmt.Sprintf(format, args...)) }

// fact prints something that was looked at and found to be as it must be.
func (t *transcript) fact(format string, args ...any) { t.item("✓ ", fmt.Sprintf(format, args...)) }

func (t *transcript) item(mark, text string) {
	for _, l := range wrap(text, width) {
		fmt.Fprintf(t.w, "%s%s%s\n", margin, mark, l)
		mark = "  "
	}
}

// shown prints what somebody sees in Slack: the first line, and of the others those that did not stand there before.
func (t *transcript) shown(where, text string, buttons []slackemu.Button) {
	fmt.Fprintf(t.w, "%s%s\n", margin, where)
	text = ids.ReplaceAllStringFunc(t.readable(text), t.name)
	skipped := false
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key := where + times.ReplaceAllString(line, "")
		if i > 0 && t.known[key] && !strings.HasPrefix(line, tokenStart) {
			skipped = true
			continue
		}
		t.known[key] = true
		if skipped {
			fmt.Fprintf(t.w, "%s│ …\n", margin)
		}
		for _, l := range wrap(line, width) {
			fmt.Fprintf(t.w, "%s│ %s\n", margin, l)
		}
		skipped = false
	}
	if skipped {
		fmt.Fprintf(t.w, "%s│ …\n", margin)
	}
	if len(buttons) > 0 {
		fmt.Fprintf(t.w, "%s│ %s\n", margin, labels(buttons))
	}
}

// labels is a row of buttons.
func labels(buttons []slackemu.Button) string {
	var all []string
	for _, b := range buttons {
		all = append(all, "["+b.Text+"]")
	}
	return strings.Join(all, " ")
}

var (
	dates    = regexp.MustCompile(`<!date\^(\d+)\^([^|^>]*)[^|>]*\|[^>]*>`)
	mentions = regexp.MustCompile(`<([@#])([A-Z0-9]+)(?:\|[^>]*)?>`)
	links    = regexp.MustCompile(`<(https?://[^|>]+)\|([^>]+)>`)
	bold     = regexp.MustCompile(`(^|[\s(])\*(\w[^*\n]*)\*`)
	times    = regexp.MustCompile(`\d\d:\d\d(:\d\d)?|in \d+ [a-z]+`)
	ids      = regexp.MustCompile(`\b[0-9a-z]{26}\b`)
	tokens   = regexp.MustCompile(`\b(eyJ[A-Za-z0-9_-]{8})[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
)

// tokenStart begins every token that is a JWT.
const tokenStart = "eyJ"

// readable turns Slack's markup into what a reader sees, in the story's time, with secrets shortened.
func (t *transcript) readable(text string) string {
	text = tokens.ReplaceAllString(text, "$1…")
	text = dates.ReplaceAllStringFunc(text, t.date)
	text = mentions.ReplaceAllStringFunc(text, func(m string) string {
		found := mentions.FindStringSubmatch(m)
		if found[1] == "#" {
			return "#" + channelName
		}
		return "@" + person(found[2]).first()
	})
	text = links.ReplaceAllString(text, "$2: $1")
	text = bold.ReplaceAllString(text, "$1$2")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", ":warning:", "⚠").Replace(text)
}

// name is a long random ID's number.
func (t *transcript) name(id string) string {
	if t.names[id] == "" {
		t.names[id] = "№ " + strconv.Itoa(len(t.names)+1)
	}
	return t.names[id]
}

// date is one of Slack's dates as a reader sees it, in UTC.
func (t *transcript) date(markup string) string {
	found := dates.FindStringSubmatch(markup)
	unix, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return markup
	}
	now, at := t.clock.story(time.Now()), t.clock.story(time.Unix(unix, 0))
	day := at.Format("Jan 2")
	if at.YearDay() == now.YearDay() {
		day = "today"
	}
	return strings.NewReplacer(
		"{date_short_pretty}", day, "{time}", at.Format("15:04"), "{time_secs}", at.Format(time.TimeOnly), "{ago}", ago(at.Sub(now)),
	).Replace(found[2])
}

// ago is how Slack says that a time is near or far.
func ago(d time.Duration) string {
	text := "in %d %s"
	if d < 0 {
		d, text = -d, "%d %s ago"
	}
	n, unit := int((d+30*time.Minute)/time.Hour), "hours"
	switch {
	case d < time.Minute:
		n, unit = int(d/time.Second), "seconds"
	case d < time.Hour-30*time.Second:
		n, unit = int((d+30*time.Second)/time.Minute), "minutes"
	}
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf(text, n, unit)
}

// wrap breaks a line between words. It gives back one line at least.
func wrap(line string, width int) []string {
	lines, last := []string{}, ""
	for word := range strings.FieldsSeq(line) {
		switch {
		case last == "":
			last = word
		case len([]rune(last))+1+len([]rune(word)) > width:
			lines, last = append(lines, last), word
		default:
			last += " " + word
		}
	}
	return append(lines, last)
}

func indent(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }
