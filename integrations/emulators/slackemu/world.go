package slackemu

import (
	"maps"
	"slices"
	"strings"
)

// User is one account. The zero value of each flag is an ordinary member with a confirmed e-mail address.
type User struct {
	ID                string `json:"id"`
	TeamID            string `json:"team_id"` // empty: this workspace
	Name              string `json:"name"`
	RealName          string `json:"real_name"`
	Email             string `json:"email"`
	Deleted           bool   `json:"deleted"` // deactivated
	IsBot             bool   `json:"is_bot"`
	IsAppUser         bool   `json:"is_app_user"`
	IsAdmin           bool   `json:"is_admin"`
	IsOwner           bool   `json:"is_owner"`
	IsRestricted      bool   `json:"is_restricted"`       // guest of several channels
	IsUltraRestricted bool   `json:"is_ultra_restricted"` // guest of one channel
	IsStranger        bool   `json:"is_stranger"`         // seen through a shared channel only
	EmailUnconfirmed  bool   `json:"email_unconfirmed"`
}

// UserGroup is one @group.
type UserGroup struct {
	ID       string   `json:"id"`
	Handle   string   `json:"handle"`
	Name     string   `json:"name"`
	Users    []string `json:"users"`
	Disabled bool     `json:"disabled"`
}

// Channel is one public or private channel. Direct messages make themselves.
type Channel struct {
	ID                 string   `json:"id"`
	Name               string   `json:"name"`
	Members            []string `json:"members"`
	IsPrivate          bool     `json:"is_private"`
	IsArchived         bool     `json:"is_archived"`
	IsExtShared        bool     `json:"is_ext_shared"`
	IsPendingExtShared bool     `json:"is_pending_ext_shared"`
	IsOrgShared        bool     `json:"is_org_shared"`
	WithoutBot         bool     `json:"without_bot"` // the bot is a member unless this is set

	directWith string // the person at the other end of a direct message
}

// PutUser adds the account, or replaces the one with its ID. It sends no event: see ChangeUser.
func (e *Emulator) PutUser(u User) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.putUser(u)
}

// User returns an account as it is now.
func (e *Emulator) User(id string) (User, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u, ok := e.users[id]
	return u, ok
}

// RemoveUser makes the account unknown. Slack never does that to a member of the workspace, whom it deactivates; it
// happens to strangers.
func (e *Emulator) RemoveUser(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.users, id)
}

// PutUserGroup adds the group, or replaces the one with its ID. It sends no event: see ChangeUserGroup.
func (e *Emulator) PutUserGroup(g UserGroup) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.putGroup(g)
}

// RemoveUserGroup makes the group unknown.
func (e *Emulator) RemoveUserGroup(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.groups, id)
}

// PutChannel adds the channel, or replaces the one with its ID. What was posted in it stays.
func (e *Emulator) PutChannel(c Channel) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.Members = slices.Clone(c.Members)
	c.directWith = ""
	e.channels[c.ID] = c
}

// RemoveChannel makes the channel unknown.
func (e *Emulator) RemoveChannel(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.channels, id)
}

// dm returns the direct message between the bot and a person, made when it is first needed. Call it locked.
func (e *Emulator) dm(user string) string {
	id := e.direct[user]
	if id == "" {
		id = "D" + e.random(4)
		e.direct[user] = id
		e.channels[id] = Channel{ID: id, Members: []string{user}, directWith: user}
	}
	return id
}

// payloadName is how interaction payloads name the channel.
func (c Channel) payloadName() string {
	switch {
	case c.directWith != "":
		return "directmessage"
	case c.IsPrivate:
		return "privategroup"
	default:
		return c.Name
	}
}

// wireUser is a user as users.list, users.info and the events tell it. Without the scope the e-mail address is left out.
func (e *Emulator) wireUser(u User) object {
	first, last, _ := strings.Cut(u.RealName, " ")
	profile := object{
		"first_name": first, "last_name": last, "fields": nil, "status_text_canonical": "", "status_emoji_display_info": []any{},
		"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.Name,
		"display_name_normalized": u.Name, "team": u.TeamID, "title": "", "phone": "", "skype": "", "avatar_hash": "emulated",
		"status_text": "", "status_emoji": "", "status_expiration": 0,
	}
	if u.ID == e.cfg.BotUserID {
		maps.Copy(profile, object{"bot_id": e.cfg.BotID, "api_app_id": e.cfg.AppID, "always_active": true})
	}
	if u.Email != "" && slices.Contains(e.cfg.BotScopes, "users:read.email") {
		profile["email"] = u.Email
	}
	out := object{
		"id": u.ID, "team_id": u.TeamID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted,
		"profile": profile, "is_bot": u.IsBot, "is_app_user": u.IsAppUser, "updated": e.updated[u.ID],
		"is_email_confirmed": !u.EmailUnconfirmed && !u.IsBot,
	}
	if u.Deleted { // a deactivated account has lost its roles
		return out
	}
	maps.Copy(out, object{
		"is_admin": u.IsAdmin, "is_owner": u.IsOwner, "is_primary_owner": false, "is_restricted": u.IsRestricted,
		"is_ultra_restricted": u.IsUltraRestricted, "is_stranger": u.IsStranger, "tz": "Etc/UTC", "tz_label": "UTC",
		"tz_offset": 0, "color": "9f69e7", "who_can_share_contact_card": "EVERYONE",
	})
	return out
}
