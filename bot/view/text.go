package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nightlatch/grants"
)

// Clean makes a text of other people harmless to show: one line, without control characters
// and without the marks that turn or hide what follows, at most so many characters.
func Clean(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co), invisible(r):
			return -1
		}
		return r
	}, text)
	text = cut(strings.Join(strings.Fields(text), " "), most)
	if text == "" {
		return "(nothing that can be shown)"
	}
	return text
}

// invisible are the letters that show nothing, so that words can be hidden between them.
func invisible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u034f', '\u17b4', '\u17b5':
		return true
	}
	return unicode.In(r, unicode.Variation_Selector)
}

// escape keeps a text from being read as Slack's markup of mentions and links.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// bold is a name out of the configuration.
func bold(name string) string { return "*" + escape(Clean(name, 80)) + "*" }

// link is a link out of the configuration; what is not one is shown as it stands.
func link(url, label string) string {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return label + ": " + escape(Clean(url, 500))
	}
	url = strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C", " ", "%20", "&", "&amp;").Replace(url)
	return "<" + url + "|" + label + ">"
}

// date is a time that Slack shows in the reader's own time zone.
func date(t time.Time, format string) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), format, t.UTC().Format("2006-01-02 15:04 UTC"))
}

// length says a duration in words, to the second below a minute and to the minute above.
func length(d time.Duration) string {
	if d < 2*time.Minute && d%time.Minute != 0 {
		return count(int(d.Round(time.Second)/time.Second), "second")
	}
	d = d.Round(time.Minute)
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case hours == 0:
		return count(minutes, "minute")
	case minutes == 0:
		return count(hours, "hour")
	}
	return count(hours, "hour") + " " + count(minutes, "minute")
}

// count is a number of things: "1 minute", "2 minutes".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// list joins names by commas and, at the last, by the conjunction.
func list(names []string, conjunction string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + conjunction + " " + names[n-1]
	}
}

// slackUser is the form of Slack's user IDs; PagerDuty's begin with a P or a Q.
var slackUser = regexp.MustCompile(`^[UW][A-Z0-9]+$`)

// mention names a person by their key, their PagerDuty user ID or their Slack user ID.
func (f Frame) mention(id string) string {
	if f.Who != nil {
		if p, ok := f.Who(id); ok && p.Key.Slack() != "" {
			return account(p.Key.Slack())
		}
	}
	if user := grants.PersonKey(id).Slack(); user != "" {
		return account(user)
	}
	if slackUser.MatchString(id) {
		return account(id)
	}
	return "PagerDuty user " + escape(Clean(id, 40)) + " (not known in Slack)"
}

// account mentions a Slack user.
func account(user string) string { return "<@" + escape(Clean(user, 40)) + ">" }

// mentions names up to eight people.
func (f Frame) mentions(ids []string, conjunction string) string {
	const most = 8
	names := make([]string, 0, most+1)
	for i, id := range ids {
		if i == most {
			names = append(names, count(len(ids)-most, "other"))
			break
		}
		names = append(names, f.mention(id))
	}
	return list(names, conjunction)
}
