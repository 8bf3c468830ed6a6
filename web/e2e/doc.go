// Package e2e drives the real program and the real page in a real browser. Its tests need Chromium, which install.sh
// brings, and stand behind the build tag e2e:
//
//	web/e2e/install.sh
//	go test -tags e2e ./web/e2e
//
// The environment may say: E2E_PROGRAM, a program built already; CHROMIUM, the browser; E2E_SCREENSHOTS, a folder
// for pictures of what was seen.
package e2e
