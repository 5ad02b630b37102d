package slackemu_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"nightlatch/integrations/emulators/slackemu"
)

// form opens a modal with one input, named "in" like its block.
func form(t *testing.T, optional bool, element object) *slackemu.Emulator {
	t.Helper()
	emu := desk(t)
	act, err := emu.RunCommand("UALICE", "", "/access")
	if err != nil {
		t.Fatal(err)
	}
	block := object{
		"type": "input", "block_id": "in", "label": plainText("in"), "optional": optional, "element": with(element, "action_id", "in"),
	}
	got := call(emu, "views.open", object{"trigger_id": act.TriggerID, "view": object{
		"type": "modal", "title": plainText("t"), "submit": plainText("go"), "blocks": []any{block},
	}})
	if !got.OK {
		t.Fatalf("opening the form: %+v", got)
	}
	return emu
}

func TestFormsAreLookedAtBeforeTheyAreSent(t *testing.T) {
	line := object{"type": "plain_text_input", "min_length": 3, "max_length": 5}
	number := object{"type": "number_input", "is_decimal_allowed": false, "min_value": "1", "max_value": "8"}
	decimal := object{"type": "number_input", "is_decimal_allowed": true}
	choice := object{"type": "static_select", "options": []any{option("value", "a"), option("value", "b")}}
	boxes := object{"type": "checkboxes", "options": []any{option("value", "a"), option("value", "b")}}
	grouped := object{"type": "static_select", "option_groups": []any{object{"label": plainText("g"), "options": []any{option("value", "c")}}}}
	tests := []struct {
		name     string
		element  object
		optional bool
		enter    string
		under    string // what stands under the input, if it is not sent
	}{
		{"enough", line, false, "abc", ""},
		{"five characters of four bytes", line, false, "🚀🚀🚀🚀🚀", ""},
		{"too short", line, false, "ab", "Please enter at least 3 characters."},
		{"too long", line, false, "abcdef", "Please enter no more than 5 characters."},
		{"nothing", line, false, "", "Please complete this required field."},
		{"nothing, which is allowed", line, true, "", ""},
		{"too short, though nothing were allowed", line, true, "a", "Please enter at least 3 characters."},
		{"3000 characters without a bound", object{"type": "plain_text_input"}, false, xs(3000), ""},
		{"3001 characters without a bound", object{"type": "plain_text_input"}, false, xs(3001), "Please enter no more than 3000 characters."},
		{"a number", number, false, "8", ""},
		{"a number too small", number, false, "0", "Please enter a number of at least 1."},
		{"a number too great", number, false, "9", "Please enter a number of at most 8."},
		{"half a number", number, false, "1.5", "Please enter a whole number."},
		{"no number", number, false, "one", "Please enter a number."},
		{"half a number, which is allowed", decimal, false, "1.5", ""},
		{"an option", choice, false, "b", ""},
		{"an option in a group", grouped, false, "c", ""},
		{"no option", choice, false, "", "Please complete this required field."},
		{"two boxes", boxes, false, "a,b", ""},
		{"no box", boxes, false, "", "Please complete this required field."},
		{"an address", object{"type": "email_text_input"}, false, "a@example.com", ""},
		{"no address", object{"type": "email_text_input"}, false, "a", "Please enter a valid email address."},
		{"a URL", object{"type": "url_text_input"}, false, "https://example.com/x", ""},
		{"no URL", object{"type": "url_text_input"}, false, "example", "Please enter a valid URL."},
		{"a date", object{"type": "datepicker"}, false, "2026-11-22", ""},
		{"a time", object{"type": "timepicker"}, false, "22:30", ""},
		{"a user", object{"type": "users_select"}, false, "UALICE", ""},
		{"a channel", object{"type": "channels_select"}, false, "COPS", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			emu := form(t, tt.optional, tt.element)
			_, err := emu.Submit("UALICE", map[string]string{"in": tt.enter})
			if (tt.under == "") != (err == nil) || (err != nil && !errors.Is(err, slackemu.ErrInvalid)) {
				t.Errorf("submitting: %v", err)
			}
			seen := emu.SeenBy("UALICE").Modal
			if seen.Errors["in"] != tt.under {
				t.Errorf("under the input: %q, want %q", seen.Errors["in"], tt.under)
			}
			if seen.Values["in"] != tt.enter {
				t.Errorf("the input holds %q", seen.Values["in"])
			}
		})
	}
}

func TestPickersOfferOnlyWhatThereIs(t *testing.T) {
	for kind, text := range map[string]string{
		"static_select": "z", "datepicker": "22 November", "timepicker": "25:00", "users_select": "UNOBODY", "channels_select": "CNONE",
	} {
		element := object{"type": kind}
		if kind == "static_select" {
			element["options"] = []any{option("value", "a")}
		}
		if err := form(t, false, element).Fill("UALICE", map[string]string{"in": text}); err == nil {
			t.Errorf("%s took %q", kind, text)
		}
	}
	strange := elementCase("static_select", "initial_option", option("value", "other"))
	if got := openView(t, nil, strange); got.Error != "invalid_arguments" {
		t.Errorf("an initial option that is none of the options: %+v", got)
	}
}

func TestInputsStartAsTheAppSays(t *testing.T) {
	for _, tt := range []struct {
		element object
		want    map[string]string
	}{
		{object{"type": "plain_text_input", "initial_value": "because"}, map[string]string{"in": "because"}},
		{object{"type": "plain_text_input"}, map[string]string{}},
		{object{"type": "static_select", "options": []any{option("value", "a")}, "initial_option": option("value", "a")}, map[string]string{"in": "a"}},
		{object{"type": "datepicker", "initial_date": "2026-11-22"}, map[string]string{"in": "2026-11-22"}},
	} {
		seen := form(t, false, tt.element).SeenBy("UALICE").Modal
		if !maps.Equal(seen.Values, tt.want) || !slices.Equal(seen.Inputs, []string{"in"}) {
			t.Errorf("%v holds %v", tt.element, seen.Values)
		}
	}
}

// stack is what lies on one another on a screen, the lowest first.
func stack(s slackemu.Screen) []string {
	var out []string
	for _, v := range s.Under {
		out = append(out, v.Visible())
	}
	if s.Modal != nil {
		out = append(out, s.Modal.Visible())
	}
	return out
}

func TestModalsLieOnOneAnother(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		var trigger string
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			if data, ok := ev.Data.(slack.InteractionCallback); ok {
				trigger = data.TriggerID
			}
			c.Ack(*ev.Request)
		})
		press := func() string {
			act, err := r.emu.Press("UALICE", slackemu.Find{Text: "More"})
			if err != nil {
				t.Fatal(err)
			}
			r.outcome(act)
			return trigger
		}
		command := r.run("UALICE", "/access")
		if _, err := r.api.PushViewContext(r.ctx, command.TriggerID, modal(section("x"))); err == nil || err.Error() != "not_found" {
			t.Errorf("pushed onto nothing: %v", err)
		}
		root, err := r.api.OpenViewContext(r.ctx, command.TriggerID, modal(section("1"), button("more", "", "More")))
		if err != nil {
			t.Fatal(err)
		}
		second, err := r.api.PushViewContext(r.ctx, press(), modal(section("2"), button("more", "", "More")))
		if err != nil || second.View.RootViewID != root.View.ID || second.View.PreviousViewID != root.View.ID {
			t.Fatalf("pushed %+v, %v", second, err)
		}
		if _, err := r.api.PushViewContext(r.ctx, trigger, modal(section("x"))); err == nil || err.Error() != "exchanged_trigger_id" {
			t.Errorf("the same trigger again: %v", err)
		}
		if _, err := r.api.PushViewContext(r.ctx, press(), modal(section("3"), button("more", "", "More"))); err != nil {
			t.Fatal(err)
		}
		if _, err := r.api.PushViewContext(r.ctx, press(), modal(section("4"))); err == nil || err.Error() != "push_limit_reached" {
			t.Errorf("a fourth: %v", err)
		}
		r.broke("views.push", "push_limit_reached")
		if got := stack(r.emu.SeenBy("UALICE")); !slices.Equal(got, []string{"Access\n1", "Access\n2", "Access\n3"}) {
			t.Errorf("alice sees %q", got)
		}
		if _, err := r.api.UpdateViewContext(r.ctx, modal(section("under")), "", "", root.View.ID); err != nil {
			t.Errorf("updating the lowest: %v", err)
		}
		if _, err := r.emu.CloseView("UALICE"); err != nil {
			t.Fatal(err)
		}
		if got := stack(r.emu.SeenBy("UALICE")); !slices.Equal(got, []string{"Access\nunder", "Access\n2"}) {
			t.Errorf("after closing the top one alice sees %q", got)
		}
	})
}

func TestAnswersToASubmission(t *testing.T) {
	inBubble(t, slackemu.Config{}, func(r *rig) {
		ask := func(s string) slack.ModalViewRequest {
			view := modal(section(s))
			view.Submit = text("Go")
			return view
		}
		next, last := ask("pushed"), ask("updated")
		answers := []*slack.ViewSubmissionResponse{
			slack.NewPushViewSubmissionResponse(&next), slack.NewUpdateViewSubmissionResponse(&last), slack.NewClearViewSubmissionResponse(),
		}
		r.connect(func(c *socketmode.Client, ev socketmode.Event) {
			if ev.Type != socketmode.EventTypeInteractive {
				c.Ack(*ev.Request)
				return
			}
			c.Ack(*ev.Request, answers[0])
			answers = answers[1:]
		})
		if _, err := r.api.OpenViewContext(r.ctx, r.run("UALICE", "/access").TriggerID, ask("first")); err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]string{{"Access\nfirst", "Access\npushed"}, {"Access\nfirst", "Access\nupdated"}, nil} {
			act, err := r.emu.Submit("UALICE", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.outcome(act)
			if got := stack(r.emu.SeenBy("UALICE")); !slices.Equal(got, want) {
				t.Errorf("alice sees %q, want %q", got, want)
			}
		}
		r.obeyed()
	})
}
