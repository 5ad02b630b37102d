package slackemu

import "net/http"

// ControlHandler serves the control API alone, under /control/.
func (e *Emulator) ControlHandler() http.Handler {
	return http.NotFoundHandler()
}
