package main_test

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// size is a screen that the page must be good on.
type size struct {
	name          string
	width, height int64
	phone         bool // one part of the page at a time
}

func sizes() []size {
	return []size{{"phone", 360, 740, true}, {"desk", 1280, 800, false}}
}

// chromium finds a browser. At a desk its absence is a skip that says what to do.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium is installed; on Debian: apt-get install chromium"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// patience is until something must have been seen; a busy machine is slow.
const patience = 30 * time.Second

// desk is one browser that looks at one playground.
type desk struct {
	*testing.T
	size
	ctx     context.Context
	console <-chan []string // everything that was complained about, once the browser is closed
	close   func()
}

// sit opens the page of a playground in a browser of its own.
func sit(t *testing.T, s size, url string) *desk {
	t.Helper()
	allocator, closeAllocator := chromedp.NewExecAllocator(t.Context(), append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"),
	)...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	d := &desk{T: t, size: s, ctx: ctx, close: func() { closeBrowser(); closeAllocator() }}
	t.Cleanup(d.close)
	d.do("opening a browser")
	console := make(chan []string, 1)
	messages := chromedp.Console(ctx)
	go func() {
		var bad []string
		for m, err := range messages {
			if err != nil {
				break
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
				bad = append(bad, m.String()+" "+m.URL)
			}
		}
		console <- bad
	}()
	d.console = console
	d.resize(s.width, s.height)
	d.do("opening the page", chromedp.Navigate(url))
	return d
}

// resize gives the browser's window another size.
func (d *desk) resize(width, height int64) {
	d.Helper()
	viewport := []chromedp.EmulateViewportOption{}
	if d.phone {
		viewport = append(viewport, chromedp.EmulateMobile, chromedp.EmulateScale(2))
	}
	d.do("resizing the window", chromedp.EmulateViewport(width, height, viewport...))
}

// rise closes the browser, and looks at what was complained about in it.
func (d *desk) rise() {
	d.Helper()
	d.close()
	for _, complaint := range <-d.console {
		d.Errorf("the console of the %s has %s", d.name, complaint)
	}
}

// open runs a playground until the test ends, and returns the address of its page.
func open(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var log strings.Builder
	cmd.Stderr = &log
	url := begin(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the playground was interrupted and ended with %v\n%s", err, &log)
		}
	})
	return url
}

// begin starts a playground and waits for its page.
func begin(t *testing.T, cmd *exec.Cmd) (url string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "The playground is at "); ok {
			return url
		}
	}
	t.Fatalf("the playground says no address, and ends with %v\n%s", cmd.Wait(), cmd.Stderr)
	return ""
}

// do does something in the browser that takes no longer than a busy machine needs.
func (d *desk) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	d.Helper()
	// The browser lives as long as the context of its first action, so that one has no end of its own.
	ctx := d.ctx
	if len(steps) > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(d.ctx, patience)
		defer cancel()
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			d.shoot("failed-at")
		}
		d.Fatalf("%s: %v", what, err)
	}
}

// click presses what a person sees there, with the mouse, where it is. Nothing may lie over it.
func (d *desk) click(selector string) {
	d.Helper()
	d.press(fmt.Sprintf("document.querySelector(%q)", selector))
}

// press clicks what an expression finds.
func (d *desk) press(find string) {
	d.Helper()
	d.holds(fmt.Sprintf("((node) => node?.checkVisibility() === true && !node.disabled)(%s)", find))
	type place struct {
		X, Y float64
		Free bool
	}
	look := func() place {
		return evaluate[place](d, fmt.Sprintf(`((node) => {
			if (!node) return { X: 0, Y: 0, Free: false };
			node.scrollIntoView({ block: "nearest", inline: "nearest" });
			const box = node.getBoundingClientRect();
			const [X, Y] = [box.x + box.width / 2, box.y + box.height / 2];
			return { X, Y, Free: node.contains(document.elementFromPoint(X, Y)) };
		})(%s)`, find))
	}
	at := look()
	for next := look(); next != at; next = look() { // what is above it may still come or go
		at = next
	}
	if !at.Free {
		d.shoot("failed-at")
		d.Fatalf("something lies over %s", find)
	}
	d.do("clicking "+find, chromedp.MouseClickXY(at.X, at.Y))
}

// evaluate asks the page.
func evaluate[T any](d *desk, expression string) T {
	d.Helper()
	value, err := chromedp.Run(d.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		d.Fatalf("evaluating %s: %v", expression, err)
	}
	return value
}

// holds waits until an expression is true on the page. A function that is made of a text would be against the page's policy,
// so it is asked again and again from outside.
func (d *desk) holds(expression string) {
	d.Helper()
	for over := time.Now().Add(patience); time.Now().Before(over); {
		if evaluate[bool](d, expression) {
			return
		}
		select {
		case <-d.ctx.Done():
			d.Fatal(d.ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	d.shoot("failed-at")
	d.Fatalf("it was never so that %s", expression)
}

// sees waits until a part of the page has all the phrases.
func (d *desk) sees(selector string, phrases ...string) {
	d.Helper()
	wanted, err := json.Marshal(phrases)
	if err != nil {
		d.Fatal(err)
	}
	d.holds(fmt.Sprintf(`((text) => %s.every((p) => text.includes(p)))([...document.querySelectorAll(%q)].map((n) => n.innerText).join("\n"))`,
		wanted, selector))
}

//go:embed testdata/layout.js
var layout string

// looks checks the layout, and keeps the picture if it is asked for.
func (d *desk) looks(name string) {
	d.Helper()
	d.fits(name)
	if *update {
		d.shoot(name)
	}
}

// fits checks that nothing overflows and nothing lies on anything else.
func (d *desk) fits(name string) {
	d.Helper()
	// Nothing moves any more, and no notice is left.
	d.holds("document.getAnimations().length === 0 && document.querySelectorAll('.toast').length === 0")
	for _, problem := range evaluate[[]string](d, layout) {
		d.Errorf("%s: %s", name, problem)
	}
}

// part shows a part of the page: "talk", "night", "token" or "log". On a desk they are all there.
func (d *desk) part(name string) {
	d.Helper()
	if d.phone {
		d.click("#tabs [data-tab=" + name + "]")
	}
}

// be switches to a person, and to a place.
func (d *desk) be(who, place string) {
	d.Helper()
	d.click("[data-person=" + who + "]")
	d.part("talk")
	d.click("[data-place=" + place + "]")
}

// TestDataStays runs the page twice on one directory.
func TestDataStays(t *testing.T) {
	start, data := playground(t), t.TempDir()
	for range 2 {
		t.Run("a run", func(t *testing.T) {
			open(t, start("-addr", "127.0.0.1:0", "-data", data))
		})
		if _, err := os.Stat(filepath.Join(data, "ledger.db")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOpen shows what the browser is opened with: the one that is asked for in the environment's way.
func TestOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs linux, where a browser is opened with xdg-open")
		}
		t.Skip("a browser is opened in another way here than with xdg-open")
	}
	bin := t.TempDir()
	opened := filepath.Join(bin, "opened")
	script := "#!/bin/sh\necho \"$@\" > " + opened + ".part && mv " + opened + ".part " + opened + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := playground(t)("-addr", "127.0.0.1:0", "-open")
	cmd.Env = append(cmd.Env, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	url := open(t, cmd)
	var got []byte
	for over := time.Now().Add(patience); len(got) == 0 && time.Now().Before(over); time.Sleep(10 * time.Millisecond) {
		got, _ = os.ReadFile(opened) // it may not be there yet
	}
	if strings.TrimSpace(string(got)) != url {
		t.Errorf("the browser was opened with %q, want %s", got, url)
	}
}

// TestKilled kills a playground. Its program ends with it, so that the next one has the ledger.
func TestKilled(t *testing.T) {
	start, data := playground(t), t.TempDir()
	cmd := start("-addr", "127.0.0.1:0", "-data", data)
	cmd.Env = append(cmd.Env, "TMPDIR="+t.TempDir()) // who is killed removes nothing
	begin(t, cmd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(cmd.Wait()); code != -1 {
		t.Fatalf("the exit code is %d, want that of a kill", code)
	}
	open(t, start("-addr", "127.0.0.1:0", "-data", data))
}

// TestPortTaken shows what somebody reads who starts a second playground.
func TestPortTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	out, err := playground(t)("-addr", listener.Addr().String()).CombinedOutput()
	if code := exitCode(err); code != 1 || !containsAll(string(out), "the port is taken", "hint: perhaps a playground runs already") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

func containsAll(text string, phrases ...string) bool {
	return !slices.ContainsFunc(phrases, func(p string) bool { return !strings.Contains(text, p) })
}
