package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPage lives through the night in a browser, on a phone and on a desk.
func TestPage(t *testing.T) {
	chromium(t)
	start := playground(t)
	for _, s := range sizes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			d := sit(t, s, open(t, start("-addr", "127.0.0.1:0")))
			d.asked()
			d.approved()
			d.revealed()
			d.used()
			d.over()
			d.refused()
			d.incident()
			d.reloaded()
			d.late()
			d.extended()
			d.overlapping()
			d.offline()
			d.overridden()
			d.between()
			d.rise()
		})
	}
}

// asked: Mara asks for what takes a yes.
func (d *desk) asked() {
	d.sees("#hint", "You are Mara")
	d.sees("#people", "Mara", "On call", "Otto")
	d.looks("1-start")
	d.click(".suggestion")
	d.click(".send")
	d.sees(".ephemeral", "Only visible to you", "waits for a yes", "Withdraw")
	d.sees(".message:not(.ephemeral)", "@Mara asks for orders-write", "order 4711 is stuck")
	d.sees("#hint", "Be Jonas")
	d.looks("2-asked")
}

func (d *desk) approved() {
	d.be("U0JONAS", "C0ORDERS")
	d.sees(".messages", "Approve")
	d.looks("3-approve")
	d.click("[data-action=approve]")
	d.sees(".message:not(.ephemeral)", "@Mara has orders-write", "Said yes: @Jonas", "Revoke")
}

func (d *desk) revealed() {
	d.be("U0MARA", "bot")
	d.sees(".messages", "You have orders-write", "Jonas said yes")
	d.looks("4-approved")
	d.click(".message:last-child [data-action=reveal]")
	d.sees(".window", "Your secret", "eyJ", "Copy it now")
	d.looks("5-secret")
	d.click(".window .copy")
	d.sees("#toasts", "The token box has it")
	d.free(".toast", "#hint button, #tabs button, .window button")
	d.click(".window .shut")
	d.do("waiting for the window to close", chromedp.WaitNotPresent(".window"))
}

func (d *desk) used() {
	d.part("token")
	d.click("#try")
	d.sees("#result", "200 OK", "order 4711, Alarm clock: stuck")
	d.sees("#hint", "Mara is on call", "End shift in 5\u00a0s")
	d.looks("6-used")
}

func (d *desk) over() {
	d.part("night")
	d.looks("7-night")
	d.click("[data-change=end]")
	d.sees("#shifts", "Nobody is on call on the first line")
	d.holds(`document.querySelector("[data-change=end]").disabled`)
	if d.phone { // where the token is not in sight
		d.sees("#hint", "The token is refused: 401", "after the end of the shift")
		d.click("#hint button")
	}
	d.sees("#hint", "Refused: 401", "Be Priya, off call, and ask for orders-read")
	d.sees("#result", "401 Unauthorized", "revoked or over")
	d.sees("#token", "after the end of the shift")
	d.dead()
	d.looks("8-dead")
	d.part("talk")
	d.sees(".messages", "Your access to orders-write is over")
	d.looks("9-over")
	d.part("log")
	d.sees("#log", "Mara asked", "orders-write is open for Mara", "orders-write for Mara is over: shift ended")
	d.click("[data-view=wires]")
	d.sees("#log", "answered Mara alone", "call refused")
	d.looks("10-wires")
	d.click("[data-view=ledger]")
	d.looks("10-ledger")
}

func (d *desk) refused() {
	d.be("U0PRIYA", "C0ORDERS")
	d.do("writing a command", chromedp.SendKeys("#line", "/access orders-read 30m is it <b>bold</b> & *brave*?\r"))
	d.sees(".ephemeral", "Your request for orders-read was refused", "You are not on call")
	d.looks("11-refused")
	d.sees("#hint", "Refused, and told why. That was the night.", "Begin again")

	// Off call one may still ask for what security can give, and whatever is written is only text.
	const markup = `<img src=x onerror=alert(1)> <script>alert(2)</script>`
	d.do("writing a command", chromedp.SendKeys("#line", "/access orders-write 30m "+markup+"\r"))
	d.sees(".message:last-child", "@Priya asks for orders-write", markup)
	d.be("U0OTTO", "C0ORDERS")
	d.click(".message:last-child [data-action=approve]")
	d.sees(".message:not(.ephemeral)", "@Priya has orders-write", "Said yes: @Otto")
	d.be("U0MARA", "C0ORDERS")
	d.do("writing a command", chromedp.SendKeys("#line", "/access\r"))
	d.sees(".window", "Role", "What for?")
	d.looks("12-form")
	d.do("giving it up", chromedp.KeyEvent(kb.Escape))
	d.do("waiting for the form to close", chromedp.WaitNotPresent(".window"))
}

// writes types a command in the channel.
func (d *desk) writes(who, line string) {
	d.Helper()
	d.be(who, "C0ORDERS")
	d.do("writing a command", chromedp.SendKeys("#line", line+"\r"))
}

// takes copies the secret that is shown, shuts its window and calls what the token opens.
func (d *desk) takes() {
	d.Helper()
	d.sees(".window", "Your secret", "eyJ")
	d.click(".window .copy")
	d.click(".window .shut")
	d.do("waiting for the window to close", chromedp.WaitNotPresent(".window"))
	d.part("token")
	d.click("#try")
	d.sees("#result", "200 OK")
}

// incident: whoever has a seat in PagerDuty acknowledges and resolves it, and it is triggered again.
func (d *desk) incident() {
	d.be("U0MARA", "C0ORDERS")
	d.part("night")
	d.sees("#incident", "#1 Order 4711 is stuck", "triggered", "Assigned to Mara, not acknowledged")
	d.click("[data-incident=acknowledge]")
	d.sees("#incident", "Assigned to Mara, acknowledged by Mara")
	d.click("[data-person=U0OTTO]")
	d.holds(`document.querySelector("[data-incident=resolve]").disabled`)
	d.click("[data-person=U0JONAS]")
	d.click("[data-incident=resolve]")
	d.sees("#incident", "resolved", "Jonas resolved it at")
	d.click("[data-change=again]")
	d.begun()
	d.part("night")
	d.sees("#shifts", "Mara is on call until")
	d.sees("#incident", "#2 Order 4711 is stuck", "triggered")
	d.click("[data-person=U0MARA]")
	d.click("[data-incident=resolve]")
	d.sees("#incident", "Mara resolved it at")
	d.click("[data-incident=trigger]")
	d.click("[data-incident=acknowledge]")
	d.sees("#incident", "#3 Order 4711 is stuck", "acknowledged by Mara")
	d.looks("13-incident")
}

// reloaded: what was told to Mara alone is gone before she pressed Reveal, and App Home still offers it.
func (d *desk) reloaded() {
	d.writes("U0MARA", "/access orders-read 1h checkout is failing")
	d.sees(".ephemeral", "You have orders-read", "Reveal")
	d.do("loading the page again", chromedp.Reload())
	d.holds(`document.querySelectorAll(".welcome").length > 0 && document.querySelectorAll(".ephemeral").length === 0`)
	d.sees("#places [aria-current]", "orders-access")
	d.be("U0MARA", "home")
	d.sees(".home", "Your requests and grants", "orders-read is yours until", "Reveal", "Return", "What you can ask for", "archive-read")
	d.click(".home [data-action=reveal]")
	d.takes()
	d.be("U0MARA", "home")
	d.sees(".home", "Replace")
}

// late: two people look at the same card, and the second one presses after it was decided.
func (d *desk) late() {
	d.writes("U0MARA", "/access orders-write 30m order 4712 is stuck, too")
	d.be("U0OTTO", "C0ORDERS")
	d.sees(".message:last-child", "@Mara asks for orders-write", "Approve")
	// Otto's card, as it is before Slack has changed it.
	d.holds(`(window.stale = document.querySelector(".message:last-child [data-action=approve]")) !== null`)
	d.be("U0JONAS", "C0ORDERS")
	d.click(".message:last-child [data-action=approve]")
	d.sees(".message:last-child", "@Mara has orders-write", "Said yes: @Jonas")
	d.be("U0OTTO", "C0ORDERS")
	evaluate[bool](d, `(window.stale.click(), true)`)
	d.sees(".ephemeral", "Only visible to you", "The request of @Mara for orders-write is open until", "Said yes: @Jonas")
	d.holds(`!document.querySelector(".message:not(.ephemeral):nth-last-child(2)").innerText.includes("@Otto")`)
	d.looks("14-late")
}

// listed is a button of one grant in App Home.
func listed(role, action string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".home .section")].find((n) => n.innerText.startsWith(%q))?.nextElementSibling.querySelector("[data-action=%s]")`,
		role+" is yours", action)
}

// extended: Mara needs it longer, and Jonas is asked again.
func (d *desk) extended() {
	d.be("U0MARA", "home")
	d.press(listed("orders-write", "more"))
	d.sees(".window", "How much longer?", "orders-write is yours until")
	d.looks("17-longer")
	d.click(".window [type=submit]")
	d.do("waiting for the form to close", chromedp.WaitNotPresent(".window"))
	d.be("U0JONAS", "C0ORDERS")
	d.click("[data-action=approve]")
	d.be("U0MARA", "home")
	d.holds(`[...document.querySelectorAll(".home .section")].some((n) => /^orders-write is yours until .*in 1 hour/.test(n.innerText))`)
}

// overlapping: Mara has two grants. She returns one in App Home; its token is dead, and the other one's lives.
func (d *desk) overlapping() {
	d.be("U0MARA", "home")
	d.sees(".home", "orders-read is yours until", "orders-write is yours until")
	d.looks("15-home")
	d.press(listed("orders-read", "return"))
	d.part("token")
	d.sees("#token", "401 Unauthorized", "after the end of its grant")
	d.dead()
	d.be("U0MARA", "home")
	d.holds(`![...document.querySelectorAll(".home .section")].some((n) => n.innerText.startsWith("orders-read is"))`)
	// This test is faster than people are, and whoever presses too much is told to press again.
	d.holds(`(window.quiet ??= Date.now()) < Date.now() - 3000`)
	d.press(listed("orders-write", "reveal"))
	d.takes()
}

// dead checks that a token was refused in time.
func (d *desk) dead() {
	d.Helper()
	if late := evaluate[float64](d, `Number(document.querySelector("#note").innerText.match(/Dead ([0-9.]+) s/)?.[1] ?? 99)`); late > 2 {
		d.Errorf("the token was dead %.1f s after the end, not within 2 s", late)
	}
}

// offline: a service that asks nobody lets a token in when its grant is over, and the page says until when.
func (d *desk) offline() {
	d.writes("U0MARA", "/access archive-read 30m old order 4702")
	d.sees(".ephemeral", "You have archive-read")
	d.click(".ephemeral:last-child [data-action=reveal]")
	d.takes()
	d.sees("#token", "Pillow", "The archive asks nobody, so nobody can cut this token: it is good until")
	d.be("U0MARA", "C0ORDERS")
	d.click(".ephemeral:last-child [data-action=return]")
	d.sees(".ephemeral", "Your access to archive-read is over", "cannot be cut: it may work until its own expiry")
	d.part("token")
	d.sees("#token", "200 OK", "Its grant ended at", "the archive cannot know")
	const said = `document.querySelector("#note").innerText.match(/ended at (\S+),.* until (\S+) at most/)?.slice(1) ?? []`
	times := evaluate[[]string](d, said)
	if len(times) != 2 {
		d.Fatalf("the note says no times: %q", times)
	}
	over, err := time.Parse(time.TimeOnly, times[0])
	if err != nil {
		d.Fatal(err)
	}
	until, err := time.Parse(time.TimeOnly, times[1])
	if err != nil {
		d.Fatal(err)
	}
	if bound := until.Sub(over); bound <= 9*time.Minute || bound > 10*time.Minute {
		d.Errorf("the token is let in for %v after its grant is over, want almost ten minutes", bound)
	}
	d.looks("16-offline")
}

// overridden: somebody else takes the shift over.
func (d *desk) overridden() {
	d.part("night")
	d.click("[data-change=override]")
	d.sees("#shifts", "Priya is on call until")
	d.part("talk")
	d.be("U0MARA", "bot")
	d.sees(".messages", "Your access to orders-write is over")
}

// between: at other sizes nothing overflows either.
func (d *desk) between() {
	sizes := [][2]int64{{1024, 768}, {861, 700}, {1920, 1080}}
	if d.phone {
		sizes = [][2]int64{{320, 568}, {412, 915}, {740, 360}}
	}
	for _, s := range sizes {
		d.resize(s[0], s[1])
		for _, part := range []string{"talk", "night", "token", "log"} {
			d.part(part)
			d.fits(fmt.Sprintf("%s at %d by %d", part, s[0], s[1]))
		}
	}
}

// together is how long the page's program takes a second press for the same one.
const together = 10 * time.Second

// TestTwoDevices reveals on the phone and again on the laptop. The first secret keeps working, and both end together.
func TestTwoDevices(t *testing.T) {
	chromium(t)
	url := open(t, playground(t)("-addr", "127.0.0.1:0"))
	phone, laptop := sit(t, sizes()[0], url), sit(t, sizes()[1], url)
	phone.writes("U0MARA", "/access orders-read 1h checkout is failing")
	phone.sees(".ephemeral", "You have orders-read")
	phone.click(".ephemeral:last-child [data-action=reveal]")
	phone.takes()
	shown := time.Now()
	laptop.be("U0MARA", "home")
	laptop.click(".home [data-action=reveal]")
	laptop.holds(`/Your secret|Shown already/.test(document.querySelector(".window h2")?.innerText)`)
	if evaluate[string](laptop, `document.querySelector(".window h2").innerText`) == "Shown already" { // unless all this was slow
		laptop.sees(".window", "in another window or on another device")
		laptop.click(".window .shut")
		laptop.do("waiting for the window to close", chromedp.WaitNotPresent(".window"))
		laptop.holds(fmt.Sprintf("Date.now() > %d", shown.Add(together).UnixMilli()))
		laptop.click(".home [data-action=reveal]")
	}
	laptop.takes()
	const secret = `document.querySelector("#secret").value`
	if evaluate[string](phone, secret) == evaluate[string](laptop, secret) {
		t.Error("the same secret was shown twice")
	}
	for _, d := range []*desk{phone, laptop} {
		d.click("#try")
		d.sees("#result", "200 OK")
	}
	laptop.click(".home [data-action=return]")
	for _, d := range []*desk{phone, laptop} {
		d.sees("#token", "401 Unauthorized", "after the end of its grant: returned")
		d.dead()
		d.rise()
	}
}
