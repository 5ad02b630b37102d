package view

import (
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// Modal is a view in front of everything else.
type Modal = slack.ModalViewRequest

// longestSecret is what one preformatted block may hold.
const longestSecret = 3000

func modal(title string, blocks ...slack.Block) Modal {
	return Modal{
		Type: slack.VTModal, Title: plain(title), Close: plain("Close"),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// OneMoment stands there while a secret is being made. It promises nothing.
func (f Frame) OneMoment() Modal {
	return modal("One moment", section("PagerDuty is being asked, and the secret is being made. This takes a few seconds."))
}

// Secret is the one view that holds a secret. It has no button and no input, because Slack
// sends whole views back when one is used. ok is false when the secret does not fit.
func (f Frame) Secret(r service.Revealed, shown time.Duration) (m Modal, ok bool) {
	secret := r.Secret.Expose()
	if secret == "" || len(secret) > longestSecret {
		return Modal{}, false
	}
	g := r.Grant
	return modal("Your secret",
		section(":warning: If you share your screen, others read this too."),
		slack.NewRichTextBlock("", &slack.RichTextPreformatted{
			Type:     slack.RTEPreformatted,
			Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(secret, nil)},
		}),
		section(pieces(
			"It opens "+bold(g.Role.Name)+" until "+until(r.Expires)+".",
			replaced(r),
			"Copy it now: this window blanks itself after "+length(shown)+", and the secret is shown nowhere else. Reveal makes another.",
		)),
		footer(f.environment()+"Grant "+g.ID+", credential "+strconv.Itoa(r.Ordinal)),
	), true
}

// replaced says what became of the secrets that this one replaces.
func replaced(r service.Revealed) string {
	switch {
	case r.Replaced == 0:
		return ""
	case r.Lingering > 0 && r.Grant.Role.Verify == grants.Offline:
		return ":warning: What was shown before cannot be cut: it works until its own expiry."
	case r.Lingering > 0:
		return ":warning: What was shown before is still being revoked: its target has not refused it yet. That is tried until it is proven dead."
	}
	return "What was shown before no longer works."
}

// Blanked takes the place of a secret that was shown long enough.
func (f Frame) Blanked() Modal {
	return modal("Blanked", section("The secret is no longer shown. It goes on working until its own expiry or the end of the grant. If you still need to see one, close this and press Reveal again."))
}

// BlankedAtEnd takes the place of a secret whose grant ended while it was shown.
func (f Frame) BlankedAtEnd() Modal {
	return modal("Blanked", section("The grant of this secret is over, so it is no longer shown. What became of the secret stands in the message on that grant."))
}

// JustShown answers a second press moments after the first.
func (f Frame) JustShown() Modal {
	return modal("Shown already", section("The secret was shown moments ago, in another window or on another device. Nothing new was made. If you can't find it, press Reveal again in a moment."))
}

// EndOldest asks whether a third secret may end the oldest of the two that work.
func (f Frame) EndOldest(e *service.TwoLiveError) Modal {
	end := "stops working"
	if e.Grant.Role.Verify == grants.Offline {
		end = "is given up, though it works until its own expiry"
	}
	m := modal("End the oldest?", section(pieces(
		"Two secrets of this grant work already, which is the limit.",
		"If you go on, number "+strconv.Itoa(e.Oldest.Ordinal)+", shown "+at(e.Oldest.Issued)+", "+end+", and a new one is shown.",
	)))
	m.Submit, m.Close = plain("End it, show new"), plain("Keep both")
	m.CallbackID = ConfirmReveal
	m.PrivateMetadata = e.Grant.ID + " " + strconv.Itoa(e.Oldest.Ordinal)
	return m
}

// Problem says what went wrong, in a modal that is open already.
func (f Frame) Problem(sentence string) Modal { return modal("Not shown", section(sentence)) }

// NotDone says what went wrong with what was filled in.
func (f Frame) NotDone(sentence string) Modal { return modal("Not done", section(sentence)) }

// Undelivered says that Slack did not take a secret, which was therefore revoked.
func (f Frame) Undelivered(v grants.Verify) string {
	if v == grants.Offline {
		return "Slack did not confirm that it showed you the secret. That one cannot be cut, and works until its own expiry. Press Reveal again for a new one."
	}
	return "Slack did not confirm that it showed you the secret, so that secret was revoked at once. Press Reveal again for a new one."
}

// NotOpened says that Slack did not open a window, so that nothing was made.
func (f Frame) NotOpened() string {
	return "Slack did not open the window for the secret, so none was made. Press Reveal again."
}
