package pgtest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// statements are the blocks of a documentation's page that a reader would play.
var statements = regexp.MustCompile("(?s)```sql\n(.*?)```")

// SetUp does what a page of the documentation says, with the server's own client and as the superuser: its first block of
// statements once, its second in each of the databases. A page with more or fewer fails the test.
func (s *Server) SetUp(t testing.TB, page string, databases ...string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := statements.FindAllSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("%s has %d blocks of statements, want one for the server and one per database", page, len(blocks))
	}
	s.play(t, Superuser, blocks[0][1])
	for _, database := range databases {
		s.play(t, database, blocks[1][1])
	}
}

func (s *Server) play(t testing.TB, database string, script []byte) {
	t.Helper()
	path := filepath.Join(s.Dir, "play.sql")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := s.Psql("-d", database, "-f", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
