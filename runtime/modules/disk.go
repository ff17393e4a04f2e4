package modules

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"etcdlua/runtime"
)

// What the module fs does to the disk. All of it runs without the turn.

func readFile(ctx context.Context, path string) ([]byte, error) {
	f, err := runtime.OpenFile(ctx, path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := runtime.ReadFile(ctx, f, maxFile)
	var limit *runtime.Error
	if errors.As(err, &limit) && limit.Code == runtime.CodeLimitExceeded {
		limit.Op, limit.Key, limit.Message = "fs.read", path, "fs.read: "+limit.Message
	}
	return data, err
}

func appendTo(ctx context.Context, path, data string) error {
	f, err := runtime.OpenFile(ctx, path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = runtime.Interruptible(ctx, f, func() (int, error) { return f.WriteString(data) })
	return errors.Join(err, f.Close())
}

// writeWhole makes data the content of the file, or leaves the file as it was: it is
// written beside it, synced, and moved over it. The mode of a file that was there stays
// unless one is given; so does its owner where the system lets us.
func writeWhole(path, data string, mode *fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays a link
	}
	old, err := os.Stat(path)
	switch {
	case err == nil && old.IsDir():
		return syscall.EISDIR
	case err == nil && !old.Mode().IsRegular():
		return errSpecial
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	err = fill(f, data, old, mode)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

var errSpecial = errors.New("is no plain file, and cannot be replaced (to write into it: io.open)")

// createBeside makes an empty file in the same folder. [os.CreateTemp] would leave the
// user's umask out of its mode.
func createBeside(path string) (*os.File, error) {
	for {
		name := "." + filepath.Base(path) + "." + strconv.FormatUint(rand.Uint64(), 36) + ".tmp"
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// fill writes, sets mode and owner, syncs and closes.
func fill(f *os.File, data string, old fs.FileInfo, mode *fs.FileMode) error {
	_, err := f.WriteString(data)
	if err == nil && old != nil {
		if s, ok := old.Sys().(*syscall.Stat_t); ok {
			_ = f.Chown(int(s.Uid), int(s.Gid)) // another's file: only root may
		}
		err = f.Chmod(old.Mode().Perm())
	}
	if err == nil && mode != nil {
		err = f.Chmod(*mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a rename last; file systems that cannot sync a folder say EINVAL.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return nil // a folder that may be written but not read; the file itself is synced
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// statPath follows a link, unless it leads nowhere.
func statPath(path string) (info fs.FileInfo, link bool, err error) {
	info, err = os.Lstat(path)
	if err != nil {
		return nil, false, err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return info, false, nil
	}
	if target, err := os.Stat(path); err == nil {
		info = target
	}
	return info, true, nil
}

// removePath reports whether there was something to remove.
func removePath(path string, recursive bool) (was bool, err error) {
	if _, err := os.Lstat(path); err != nil {
		return false, absent(err)
	}
	if recursive {
		return true, os.RemoveAll(path)
	}
	err = os.Remove(path)
	if errors.Is(err, syscall.ENOTEMPTY) {
		return false, runtime.FileError("fs.remove", path, err).WithHint("{recursive = true} removes a folder with all that is in it")
	}
	return true, absent(err)
}
