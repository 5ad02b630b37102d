package inspect

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"nightlatch/cmd/nightlatch/config"
)

// The pauses between two looks, where the configuration does not say longer.
const (
	firstLook = 5 * time.Second // after the start: the directory is being read
	soon      = time.Minute     // after a look that could not see everything
)

// Watch looks at the names of a configuration until ctx ends, as often as the directory is read, and logs each
// problem once until it changes. A configuration that is loaded meanwhile is looked at soon, in place of the one before. What
// cannot be asked now is as it was: that Slack or PagerDuty is silent, others say.
func (i Inspector) Watch(ctx context.Context, loaded config.Loaded, loads <-chan config.Loaded, log *slog.Logger) error {
	told := map[string]Finding{}
	for pause := firstLook; ; {
		select {
		case <-ctx.Done():
			return nil
		case loaded = <-loads:
			pause = firstLook
			continue
		case <-time.After(pause):
		}
		i.Config = loaded.Config
		pause = i.Config.Reread
		found, sure := i.problems(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !sure {
			pause = min(soon, pause)
			for key, f := range told {
				if _, again := found[key]; !again {
					found[key] = f
				}
			}
		}
		tell(log, loaded.Line, told, found)
		told = found
	}
}

// problems are the problems by their key, and whether everything could be asked.
func (i Inspector) problems(ctx context.Context) (found map[string]Finding, sure bool) {
	found, sure = map[string]Finding{}, true
	for _, f := range i.Names(ctx) {
		switch f.Kind {
		case Problem:
			found[f.Key] = f
		case Unknown:
			sure = false
		}
	}
	return found, sure
}

// tell logs what is new and what is over.
func tell(log *slog.Logger, line func(string) int, before, now map[string]Finding) {
	for _, key := range sorted(now) {
		if before[key] != now[key] {
			log.Warn("the configuration names what cannot be used", "key", key, "line", line(key), "what", now[key].Text)
		}
	}
	over := maps.Clone(before)
	maps.DeleteFunc(over, func(key string, _ Finding) bool { _, still := now[key]; return still })
	for _, key := range sorted(over) {
		log.Info("what the configuration names can be used now", "key", key)
	}
}
