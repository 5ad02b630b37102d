package socket

import "encoding/json"

// parseEvent reads what happened in the workspace. What nobody here waits for, and what cannot be
// understood, is only acknowledged: Slack would send it again.
func parseEvent(envelope string, payload []byte) Command {
	nothing := Command{Envelope: envelope, Verb: Nothing}
	var p struct {
		Team       string `json:"team_id"`
		Enterprise string `json:"enterprise_id"`
		Event      struct {
			Type string `json:"type"`
			User string `json:"user"`
			Tab  string `json:"tab"`
		} `json:"event"`
	}
	if json.Unmarshal(payload, &p) != nil || p.Event.Type != "app_home_opened" || p.Event.Tab != "home" {
		return nothing
	}
	c := Command{Envelope: envelope, Verb: OpenHome, Team: p.Team, Enterprise: p.Enterprise, User: p.Event.User}
	if c.checkIDs() != nil {
		return nothing
	}
	return c
}
