package socket

import (
	"context"
	"regexp"
	"strings"

	"nightlatch/bot/view"
	"nightlatch/grants"
)

// mention is how Slack writes a person in a command's text.
var mention = regexp.MustCompile(`^<@([UW][A-Z0-9]{1,39})(\|[^<>]*)?>$`)

// parsePeople reads what security types after "people": list, approve @user, freeze @user why.
func parsePeople(words []string) (Line, error) {
	if len(words) == 1 && strings.EqualFold(words[0], "list") {
		return Line{Verb: ListPeople}, nil
	}
	if len(words) >= 2 {
		m := mention.FindStringSubmatch(words[1])
		line := Line{Reason: plainText(strings.Join(words[2:], " "))}
		switch verb := strings.ToLower(words[0]); {
		case m == nil:
		case verb == "approve" && len(words) == 2:
			return Line{Verb: ApprovePerson, Whom: m[1]}, nil
		case verb == "freeze" && line.Reason != "":
			line.Verb, line.Whom = FreezePerson, m[1]
			return line, tooLong(line.Reason)
		}
	}
	return Line{}, view.UsageError("Nothing was done. Write `/access people list`, `/access people approve @user` or `/access people freeze @user WHY`, and pick the person from Slack's list as you type @.")
}

// people does what security wants with the directory.
func (l *Listener) people(ctx context.Context, c Command) (answer, error) {
	whom := grants.KeyOf(c.Team, c.Line.Whom)
	var m view.Message
	switch c.Verb {
	case ListPeople:
		roster, err := l.c.Directory.Roster(ctx, c.origin())
		if err != nil {
			return answer{}, err
		}
		m = l.frame.Roster(roster)
	case ApprovePerson:
		p, err := l.c.Directory.Thaw(ctx, c.origin(), whom)
		if err != nil {
			return answer{}, err
		}
		m = l.frame.Thawed(p)
	case FreezePerson:
		p, err := l.c.Directory.Freeze(ctx, c.origin(), whom, c.Line.Reason)
		if err != nil {
			return answer{}, err
		}
		m = l.frame.Frozen(p)
	}
	return answer{message: &m}, nil
}
