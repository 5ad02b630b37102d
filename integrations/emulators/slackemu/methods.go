package slackemu

import "slices"

// Method is one row of the table of Web API methods that the emulator answers.
type Method struct {
	Name      string
	Arguments []string // every documented argument; another name is refused
	Required  []string // without one of these: missing
	Missing   string   // the error then; "invalid_arguments" if empty
	Scopes    []string // the bot needs one of them; none: any token of its type will do
	Tier      int      // Slack's rate limit tier 1 to 4; 5: special
	JSON      bool     // a JSON body is understood
	Errors    []string // what the emulator itself may answer, beside CommonErrors
	Kind      Kind     // what its body is recorded as

	app bool // wants the app-level token
	do  func(*Emulator, *call) answer
}

// CommonErrors are the errors that every method may answer, by Slack's general documentation.
func CommonErrors() []string {
	return []string{
		"invalid_arg_name", "invalid_arguments", "invalid_auth", "invalid_form_data", "invalid_json", "invalid_post_type",
		"json_not_object", "missing_scope", "not_allowed_token_type", "not_authed", "ratelimited", "unknown_method",
	}
}

// Methods is the table. A method without a row answers unknown_method.
func Methods() []Method {
	return slices.Concat(messageMethods(), viewMethods(), appMethods(), conversationMethods(), directoryMethods())
}

func messageMethods() []Method {
	return []Method{
		{
			Name: "chat.postMessage", Kind: KindMessage, Tier: 5, JSON: true,
			Scopes:   []string{"chat:write"},
			Required: []string{"token", "channel"}, Missing: "channel_not_found",
			Arguments: []string{
				"token", "as_user", "attachments", "blocks", "channel", "current_draft_last_updated_ts", "icon_emoji",
				"icon_url", "link_names", "markdown_text", "metadata", "mrkdwn", "parse", "reply_broadcast", "text",
				"thread_ts", "unfurl_links", "unfurl_media", "username",
			},
			Errors: []string{
				"channel_not_found", "invalid_blocks", "invalid_blocks_format", "is_archived", "markdown_text_conflict",
				"msg_blocks_too_long", "no_text", "not_in_channel",
			},
			do: (*Emulator).postMessage,
		},
		{
			Name: "chat.update", Kind: KindMessage, Tier: 3, JSON: true,
			Scopes:   []string{"chat:write"},
			Required: []string{"token", "ts", "channel"}, Missing: "message_not_found",
			Arguments: []string{
				"token", "as_user", "attachments", "unfurled_attachments", "blocks", "markdown_text", "metadata", "channel",
				"link_names", "parse", "text", "ts", "reply_broadcast", "file_ids",
			},
			Errors: []string{
				"cant_update_message", "channel_not_found", "invalid_blocks", "invalid_blocks_format",
				"markdown_text_conflict", "message_not_found", "msg_too_long", "no_text",
			},
			do: (*Emulator).updateMessage,
		},
		{
			Name: "chat.postEphemeral", Kind: KindEphemeral, Tier: 4, JSON: true,
			Scopes:   []string{"chat:write"},
			Required: []string{"token", "user", "channel"}, Missing: "channel_not_found",
			Arguments: []string{
				"token", "as_user", "attachments", "blocks", "channel", "icon_emoji", "icon_url", "link_names",
				"markdown_text", "metadata", "parse", "text", "thread_ts", "user", "username",
			},
			Errors: []string{
				"channel_not_found", "invalid_blocks", "invalid_blocks_format", "is_archived", "markdown_text_conflict",
				"msg_too_long", "no_text", "not_in_channel", "user_not_in_channel",
			},
			do: (*Emulator).postEphemeral,
		},
	}
}

func viewMethods() []Method {
	return []Method{
		{
			Name: "views.open", Kind: KindView, Tier: 4, JSON: true,
			Required:  []string{"token", "view"},
			Arguments: []string{"token", "trigger_id", "interactivity_pointer", "view"},
			Errors: []string{
				"duplicate_external_id", "exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id",
				"view_too_large",
			},
			do: (*Emulator).openView,
		},
		{
			Name: "views.push", Kind: KindView, Tier: 4, JSON: true,
			Required:  []string{"token", "view"},
			Arguments: []string{"token", "trigger_id", "interactivity_pointer", "view"},
			Errors: []string{
				"duplicate_external_id", "exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id", "not_found",
				"push_limit_reached", "view_too_large",
			},
			do: (*Emulator).pushView,
		},
		{
			Name: "views.publish", Kind: KindView, Tier: 4, JSON: true,
			Required:  []string{"token", "user_id", "view"},
			Arguments: []string{"token", "user_id", "view", "hash", "interactivity_pointer"},
			Errors:    []string{"duplicate_external_id", "hash_conflict", "view_too_large"},
			do:        (*Emulator).publishView,
		},
		{
			Name: "views.update", Kind: KindView, Tier: 4, JSON: true,
			Required:  []string{"token", "view"},
			Arguments: []string{"token", "view_id", "external_id", "view", "hash"},
			Errors:    []string{"duplicate_external_id", "hash_conflict", "not_found", "view_too_large"},
			do:        (*Emulator).updateView,
		},
	}
}

func appMethods() []Method {
	return []Method{
		{
			Name: "apps.connections.open", Kind: KindOther, Tier: 3, JSON: true, app: true,
			Required: []string{"token"}, Arguments: []string{"token"},
			Errors: []string{"insecure_request", "missing_args"},
			do:     (*Emulator).openConnection,
		},
		{
			Name: "auth.test", Kind: KindOther, Tier: 5, JSON: true,
			Required: []string{"token"}, Arguments: []string{"token"},
			do: (*Emulator).authTest,
		},
	}
}

func conversationMethods() []Method {
	return []Method{
		{
			Name: "conversations.open", Kind: KindOther, Tier: 3, JSON: true,
			Scopes:    []string{"channels:manage", "groups:write", "im:write", "mpim:write"},
			Required:  []string{"token"},
			Arguments: []string{"token", "channel", "return_im", "users", "prevent_creation"},
			Errors: []string{
				"channel_not_found", "method_not_supported_for_channel_type", "missing_scope", "too_many_users",
				"user_disabled", "user_not_found", "users_list_not_supplied",
			},
			do: (*Emulator).openConversation,
		},
		{
			Name: "conversations.info", Kind: KindOther, Tier: 3,
			Scopes:    []string{"groups:read", "im:read", "mpim:read", "channels:read"},
			Required:  []string{"token", "channel"},
			Arguments: []string{"token", "channel", "include_locale", "include_num_members"},
			Errors:    []string{"channel_not_found", "missing_scope"},
			do:        (*Emulator).conversationInfo,
		},
	}
}

func directoryMethods() []Method {
	return []Method{
		{
			Name: "usergroups.list", Kind: KindOther, Tier: 2,
			Scopes:    []string{"usergroups:read"},
			Required:  []string{"token"},
			Arguments: []string{"token", "include_count", "include_disabled", "include_users", "team_id"},
			do:        (*Emulator).listGroups,
		},
		{
			Name: "usergroups.users.list", Kind: KindOther, Tier: 2,
			Scopes:    []string{"usergroups:read"},
			Required:  []string{"token", "usergroup"},
			Arguments: []string{"token", "include_disabled", "usergroup", "team_id"},
			Errors:    []string{"no_such_subteam"},
			do:        (*Emulator).listGroupUsers,
		},
		{
			Name: "users.info", Kind: KindOther, Tier: 4,
			Scopes:    []string{"users:read"},
			Required:  []string{"token", "user"},
			Arguments: []string{"token", "include_locale", "user"},
			Errors:    []string{"user_not_found", "user_not_visible"},
			do:        (*Emulator).userInfo,
		},
		{
			Name: "users.list", Kind: KindOther, Tier: 2,
			Scopes:    []string{"users:read"},
			Required:  []string{"token"},
			Arguments: []string{"token", "cursor", "include_locale", "limit", "team_id"},
			Errors:    []string{"invalid_cursor", "limit_required"},
			do:        (*Emulator).listUsers,
		},
	}
}
