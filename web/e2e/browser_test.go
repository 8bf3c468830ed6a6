//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// browser is one Chromium with a profile of its own.
type browser struct{ ctx context.Context }

func startBrowser(t *testing.T) *browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1100, 760),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		leave()
		stop() // waits for the process
	})
	require.NoError(t, chromedp.Do(ctx), "start the browser")
	return &browser{ctx}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "no Chromium: run web/e2e/install.sh, or name one in CHROMIUM")
	return ""
}

// step is something done in a tab.
type step = chromedp.Action[chromedp.Void]

// page is one tab.
type page struct {
	t     *testing.T
	ctx   context.Context
	close func() // as a person closes a tab
	mu    sync.Mutex
	woes  []string // exceptions, and what the page's policy forbade
}

// person opens a tab with storage of its own, as another person's browser would have.
func (b *browser) person(t *testing.T, url string, emulate ...step) *page {
	t.Helper()
	return open(t, b.ctx, url, chromedp.WithNewBrowserContext(), emulate...)
}

// tab opens a second tab of the same person.
func (p *page) tab(url string, emulate ...step) *page {
	p.t.Helper()
	id := chromedp.FromContext(p.ctx).BrowserContextID
	return open(p.t, p.ctx, url, chromedp.WithExistingBrowserContext(id), emulate...)
}

func open(t *testing.T, parent context.Context, url string, option chromedp.ContextOption, emulate ...step) *page {
	t.Helper()
	ctx, leave := chromedp.NewContext(parent, option)
	t.Cleanup(leave)
	p := &page{t: t, ctx: ctx, close: leave}
	require.NoError(t, chromedp.Listen(ctx, p.heard))
	p.run(emulate...)
	p.run(chromedp.Navigate(url))
	return p
}

func (p *page) heard(event any) {
	woe := ""
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		woe = event.ExceptionDetails.Text
		if thrown := event.ExceptionDetails.Exception; thrown != nil {
			woe += " " + thrown.Description
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork {
			woe = event.Entry.Text
		}
	}
	if woe == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.woes = append(p.woes, woe)
}

// healthy fails if the page threw, or tried what its policy forbids.
func (p *page) healthy() {
	p.t.Helper()
	require.Empty(p.t, p.told())
}

func (p *page) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.woes)
}

// run does things in the tab; each batch has a deadline.
func (p *page) run(steps ...step) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...))
}

// value runs a script in the tab and returns what it comes to.
func value[T any](p *page, script string, options ...chromedp.EvaluateOption) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, options...))
	require.NoError(p.t, err)
	return result
}

// say types a message and Enter, as a person does.
func (p *page) say(text string) {
	p.t.Helper()
	p.run(chromedp.SendKeys(chromedp.CSS("#compose"), text), enter)
}

// standing is a message as it stands on the page.
type standing struct {
	Seq   int    `json:"seq"`
	Text  string `json:"text"`
	State string `json:"state"`
	Said  string `json:"said"` // the state in words
	Mine  bool   `json:"mine"`
}

// messages reads the open conversation from the page, top to bottom.
func (p *page) messages() []standing {
	p.t.Helper()
	return value[[]standing](p, `[...document.querySelectorAll("li.message")].map((row) => ({
		seq: Number(row.dataset.seq), text: row.querySelector(".bubble").textContent, state: row.dataset.state,
		said: row.querySelector(".state")?.textContent ?? "", mine: row.classList.contains("mine"),
	}))`)
}

func (p *page) texts() []string {
	p.t.Helper()
	texts := []string{}
	for _, message := range p.messages() {
		texts = append(texts, message.Text)
	}
	return texts
}

// text reads an element; empty if it is not there.
func (p *page) text(selector string) string {
	p.t.Helper()
	return value[string](p, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

// eventually waits for something to become true on the page.
func (p *page) eventually(what string, holds func() bool) {
	p.t.Helper()
	if !poll(holds) {
		p.picture("failed")
		require.FailNow(p.t, "never came true: "+what, "connection: %q\nmessages: %+v\nwoes: %q", p.text(".connection"), p.messages(), p.told())
	}
}

// poll asks on this goroutine: a tab does one thing at a time.
func poll(holds func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

func (p *page) online() {
	p.t.Helper()
	p.eventually("connected", func() bool { return p.text(".connection") == "Connected" })
}

// picture keeps what the tab looks like, if somebody wants to see it.
func (p *page) picture(name string) {
	p.t.Helper()
	folder := os.Getenv("E2E_SCREENSHOTS")
	if folder == "" {
		return
	}
	require.NoError(p.t, os.MkdirAll(folder, 0o755))
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600))
}

// dark makes a tab believe that its person prefers dark pages.
var dark = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return err
})

// enter presses the key as a keyboard does: a page that handles it gets no newline.
var enter = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	for _, kind := range []input.DispatchKeyEventType{"keyDown", "keyUp"} {
		key := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: '\r'}
		if kind == "keyDown" {
			key.Text = "\r"
		}
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, key); err != nil {
			return err
		}
	}
	return nil
})
