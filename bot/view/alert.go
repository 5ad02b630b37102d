package view

import (
	"strconv"

	"nightlatch/grants/service"
)

// DeadUse tells a person that a credential of theirs was used after its end.
func (f Frame) DeadUse(n service.Notice) Message {
	return f.message(n, ":warning: A credential of yours for "+bold(n.Grant.Role.Name)+" was used after its end, "+at(n.Used)+".", pieces(
		"Credential "+strconv.Itoa(n.Credential)+" of that grant was shown to a service. The service asked Nightlatch about it, and was told that it is over.",
		"If that was you, or a program of yours that goes on, there is nothing to do. If it was not, somebody else has it: tell your security team now.",
		"You are told once. Each further hour in which it is used is recorded.",
	))
}
