package main_test

import (
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// begun checks that the night has begun wholly again.
func (d *desk) begun() {
	d.Helper()
	d.sees("#hint", "You are Mara, on call")
	d.sees("#people [aria-pressed=true]", "Mara")
	d.sees("#places [aria-current]", "orders-access")
	d.sees(".messages", "A new night")
	d.holds(`document.querySelectorAll(".message, .window, .steps .done, .count, .dot").length === 0`)
	d.holds(`document.querySelector("#secret").value === "" && document.querySelector("#result").innerText === ""`)
}

// free waits until nothing of one kind lies on anything of another.
func (d *desk) free(what, of string) {
	d.Helper()
	d.holds(fmt.Sprintf(`((boxes) => !boxes(%q).some((a) => boxes(%q).some((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)))(
		(selector) => [...document.querySelectorAll(selector)].filter((n) => n.checkVisibility()).map((n) => n.getBoundingClientRect()))`, what, of))
}

// TestGuide takes the ways that the first two minutes do not propose. What the guide says is true on each of them, and it
// leads to where there is something to do.
func TestGuide(t *testing.T) {
	chromium(t)
	start := playground(t)
	cmd := start("-addr", "127.0.0.1:0")
	at := begin(t, cmd)
	t.Cleanup(func() { // if it was not ended before
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	d := sit(t, sizes()[0], at)

	// The second line that is offered opens at once, and the answer with Reveal is in the channel.
	d.sees("#hint", "You are Mara, on call")
	d.click(".suggestion:nth-child(2)")
	d.click(".send")
	d.sees("#hint", "It opened at once", "Press Reveal, in the answer that only you see")
	d.holds(`document.querySelector("#hint button") === null`)
	d.sees(".steps li:nth-child(2)", "–")
	d.click("[data-place=bot]")
	d.sees("#hint", "Go there")
	d.click("#hint button")
	d.click(".ephemeral [data-action=reveal]")
	d.sees("#hint", "Press Copy")
	d.sees(".window", "eyJ")
	d.click(".window .copy")
	d.sees("#hint", "Press Call")
	d.click("#hint button")
	d.click("#try")
	d.sees("#hint", "Mara is on call", "End shift in 5\u00a0s")

	// The shift is gone all at once; the secret that is still shown goes with it.
	d.click("#hint button")
	d.click("[data-change=swap]")
	d.sees("#hint", "The token is refused: 401")
	d.click("#hint button")
	d.sees("#token", "401 Unauthorized")
	d.sees("#hint", "You are Mara, off call. Ask for orders-read")
	d.click("#hint button")
	d.sees(".window", "The grant of this secret is over")
	d.click(".window .shut")
	d.do("waiting for the window to close", chromedp.WaitNotPresent(".window"))
	d.click(".suggestion:nth-child(2)")
	d.click(".send")
	d.sees("#hint", "Refused, and told why")
	d.do("writing a command", chromedp.SendKeys("#line", "/access orders-write 30m order 4712\r"))
	d.sees("#hint", "only security can say yes", "Be Otto")

	d.part("night")
	d.click("[data-change=again]")
	d.begun()
	d.part("night")
	d.click("[data-change=override]")
	d.sees("#hint", "Be Priya, who is on call")

	// A page that was left open says that its playground is gone, and goes on with the next one.
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	d.sees(".banner", "The playground does not answer")
	address, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	open(t, start("-addr", address.Host))
	d.holds(`document.querySelector(".banner")?.checkVisibility() === false`)
	d.sees("#hint", "You are Mara, on call")
	d.close()
}
