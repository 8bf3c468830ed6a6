// Package memory holds what a cluster shares when it lives in one process: a single node, or several of a test.
package memory
