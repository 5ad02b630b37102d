package slackemu

import "slices"

// OpenHome lets a person open the App Home. The app is told by app_home_opened, with the view that it has published for
// this person, if it has.
func (e *Emulator) OpenHome(user string) (*Act, error) { return e.openTab(user, "home") }

// OpenMessages lets a person open the direct message with the app, of which the same event tells, with another tab.
func (e *Emulator) OpenMessages(user string) (*Act, error) { return e.openTab(user, "messages") }

func (e *Emulator) openTab(user, tab string) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.actor(user); err != nil {
		return nil, err
	}
	event := object{
		"type": "app_home_opened", "user": user, "channel": e.dm(user), "tab": tab, "event_ts": e.stamp(),
	}
	if home := e.homes[user]; home != nil && tab == "home" {
		event["view"] = e.wireView(home)
	}
	return e.send(&Act{Kind: "app_home_opened", User: user}, event), nil
}

// Reload lets a person reload the client on the device in use: its ephemeral messages and open modals are gone, and nobody
// tells the app.
func (e *Emulator) Reload(user string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.actor(user); err != nil {
		return err
	}
	at := e.seat(user)
	e.messages = slices.DeleteFunc(e.messages, func(m *message) bool { return m.onlyFor == user && m.device == at.device })
	delete(e.stacks, at)
	return nil
}

// seat is a device of a person.
type seat struct{ user, device string }

// seat is where a person sits now. Call it locked.
func (e *Emulator) seat(user string) seat { return seat{user: user, device: e.devices[user]} }

// UseDevice lets a person go on with another device, by any name; everybody begins with the one whose name is empty. The
// ephemeral messages and open modals stay behind, and are there again for who comes back. Nobody tells the app.
func (e *Emulator) UseDevice(user, device string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.actor(user); err != nil {
		return err
	}
	e.devices[user] = device
	return nil
}

// publishView shows a person a view in the App Home, in place of the one before.
func (e *Emulator) publishView(c *call) answer {
	user := c.args["user_id"]
	c.piece.Person = user
	if u, ok := e.users[user]; !ok || u.Deleted {
		e.violate(c.method.Name, "user_id", "there is no such account")
		return answer{err: "invalid_arguments", messages: []string{"invalid `user_id`"}}
	}
	home := e.homes[user]
	if hash := c.args["hash"]; hash != "" && (home == nil || hash != home.hash) {
		return refuse("hash_conflict")
	}
	body, a := e.parseView(c.method.Name, "home", c.args["view"])
	if a.err != "" {
		return a
	}
	if e.duplicate(body, home) {
		return refuse("duplicate_external_id")
	}
	if home == nil {
		home = e.show(seat{user: user}, body, nil)
		e.homes[user] = home
	} else {
		e.changeView(home, body)
	}
	return answer{fields: object{"view": e.wireView(home)}}
}
