// Package doctest runs what the documents of this repository show: each fenced block of each page, by its language and
// the words behind it.
//
//	go file=NAME       a file: written where the page's shell stands, and compiled in this module
//	go in=NAME         a part of a program: compiled in its place in testdata/NAME.go
//	sh                 run; all of a page in one bash, in a folder of the page's own
//	sh norun="WHY"     not run, since it cannot or another test does; what it names has to exist
//	sh needs=database  run where the tests have services, by -tags services
//	json, text output  behind a sh: what that prints; identifiers and times may differ in json, … is anything in text
//	json NAME          an example that the test beside the encoders runs, see exampleTests
//	yaml               a configuration, or a part of one; with file=NAME written as well
//	js                 run in Node.js against a server
//	html file=NAME     a page: written, its script has to be one
//	text               a picture
//
// Addresses on 127.0.0.1 become free ones, so that pages run side by side. A block of any other kind fails.
package doctest
