package services

import (
	"os"
	"path/filepath"
)

// CacheDir is where downloads and the data of the default instances are: yanlink-services in XDG_CACHE_HOME or ~/.cache.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	return filepath.Join(base, "yanlink-services"), err
}
