package pagerdutyemu

import (
	"encoding/json"
	"net/http"
	"time"
)

// answer is what goes back over the wire: a body to be written as JSON, or raw bytes, or neither.
type answer struct {
	status int
	body   any
	raw    []byte
	reset  time.Duration // makes the rate limit look used up for so long
}

// refusal is PagerDuty's error object.
func refusal(status, code int, message string, details ...string) answer {
	return answer{status: status, body: errorWire{Error: errorBody{Message: message, Code: code, Errors: details}}}
}

// invalid refuses what PagerDuty would not take.
func invalid(problems ...string) answer {
	return refusal(http.StatusBadRequest, 2001, "Invalid Input Provided", problems...)
}

func notFound() answer { return refusal(http.StatusNotFound, 2100, "Not Found") }

func (a answer) write(w http.ResponseWriter) {
	if a.body == nil && a.raw == nil {
		w.WriteHeader(a.status)
		return
	}
	raw := a.raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(a.body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // a client that went away has no use for it
}

type errorWire struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Message string   `json:"message"`
	Code    int      `json:"code"`
	Errors  []string `json:"errors,omitempty"`
}

// pageWire is what a list says about itself.
type pageWire struct {
	Limit, Offset int
	More          bool
	Total         *int // null unless it was asked for
}

type onCallWire struct {
	Policy   referenceWire  `json:"escalation_policy"`
	Level    int            `json:"escalation_level"`
	Schedule *referenceWire `json:"schedule"`
	User     referenceWire  `json:"user"`
	Start    *string        `json:"start"`
	End      *string        `json:"end"`
}

// referenceWire stands for an object, and is how each object begins.
type referenceWire struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    string  `json:"self"`
	HTMLURL *string `json:"html_url"`
}

type userWire struct {
	referenceWire
	Name              string   `json:"name"`
	Email             string   `json:"email"`
	TimeZone          string   `json:"time_zone"`
	Color             string   `json:"color"`
	AvatarURL         string   `json:"avatar_url"`
	Role              string   `json:"role"`
	Description       *string  `json:"description"`
	InvitationSent    bool     `json:"invitation_sent"`
	JobTitle          string   `json:"job_title"`
	CreatedViaSSO     bool     `json:"created_via_sso"`
	Teams             []string `json:"teams"`
	ContactMethods    []string `json:"contact_methods"`
	NotificationRules []string `json:"notification_rules"`
}
