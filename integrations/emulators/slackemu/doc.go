// Package slackemu is a Slack workspace for tests and for the playground.
package slackemu
