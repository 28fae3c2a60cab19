package recipes

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// project is a public Go project whose own tests run over estabtest instead of
// the loopback.
type project struct {
	module, version string
	pkg             string // the package's name
	skip            string // go test -skip: what can't work, with the reason in docs/testing.md
	files           map[string][]edit
}

// edit exchanges a dialer or a listener.
type edit struct{ from, to string }

// common are the edits of all test files.
var common = []edit{
	{`\bnet\.Listen\(`, `estabListen(`},
	{`\bnet\.ListenTCP\("tcp", nil\)`, `estabListen("tcp", ":0")`},
	{`\bnet\.Dial\(`, `estabDial(`},
	{`\bnet\.DialTimeout\(`, `estabDialTimeout(`},
	{`\bnet\.DialTCP\("tcp", nil, (&net\.TCPAddr\{[^}]*\})\)`, `estabDialTCP($1)`},
	{`\brpc\.Dial\(`, `estabRPC(`},
	{`\btls\.Dial\(`, `estabTLS(`},
	{`\bhttptest\.NewServer\(`, `estabHTTPServer(`},
	{`\bhttptest\.NewTLSServer\(`, `estabTLSServer(`},
	{`\bhttptest\.NewUnstartedServer\(`, `estabUnstartedServer(`},
}

// transport gives HTTP transports that say nothing about dialling a dialer.
var transport = edit{`&http\.Transport\{`, `&http.Transport{DialContext: estabDialContext, `}

var projects = []project{
	{module: "github.com/hashicorp/yamux", version: "v0.1.2", pkg: "yamux"},
	{module: "github.com/xtaci/smux", version: "v1.5.58", pkg: "smux"},
	{module: "github.com/soheilhy/cmux", version: "v0.1.5", pkg: "cmux", files: map[string][]edit{
		"cmux_test.go": {transport},
	}},
	{module: "github.com/hashicorp/go-retryablehttp", version: "v0.7.8", pkg: "retryablehttp", files: map[string][]edit{
		"client.go": {{`cleanhttp\.DefaultPooledClient\(\)`, `func() *http.Client {
			c := cleanhttp.DefaultPooledClient()
			c.Transport.(*http.Transport).DialContext = estabDialContext
			return c
		}()`}},
	}},
	{module: "github.com/gorilla/websocket", version: "v1.5.3", pkg: "websocket", skip: "^TestTracingDialWithContext$",
		files: map[string][]edit{
			"client.go":      {{`&net\.Dialer\{\}`, `estabDialer{}`}},
			"x_net_proxy.go": {{`\bnet\.Dial\(`, `estabDial(`}},
			"client_server_test.go": {
				{`&net\.Dialer\{\}`, `estabDialer{}`},
				{`\bts\.StartTLS\(\)`, `ts.StartTLS(); ts.Client().Transport.(*http.Transport).DialContext = estabDialContext`},
			},
		},
	},
}

// What passes on the loopback passes over an estab network. It downloads the
// projects, and so runs only with ESTAB_LONG=1. ESTAB_NETEM makes the network
// worse.
//
// These tests run in real time and have time-outs of a quarter of a second, so
// that on a machine that is late they fail whatever carries their bytes. What
// fails in such a run is told and not judged. Nor is a test that fails by chance
// on the loopback (cmux's TestTimeout: once in five).
func TestProjects(t *testing.T) {
	if os.Getenv("ESTAB_LONG") == "" || testing.Short() {
		t.Skip("downloads other projects: ESTAB_LONG=1 runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		t.Run(p.pkg, func(t *testing.T) {
			loopback, over := t.TempDir(), t.TempDir()
			p.prepare(t, loopback, "")
			p.prepare(t, over, root)
			before, _ := p.run(t, loopback)
			after, late := p.run(t, over)
			t.Logf("failures on the loopback: %v; over estab: %v, in a process that was up to %v late", before, after, late)
			for _, name := range after {
				switch {
				case slices.Contains(before, name):
				case late > tooLate:
					t.Skipf("%s fails over estab, in a process that was %v late", name, late)
				case p.isCoin(t, loopback, name):
					t.Logf("%s fails over estab, and by chance on the loopback too", name)
				default:
					t.Errorf("%s fails over estab", name)
				}
			}
		})
	}
}

// tooLate is how late goroutines may wake up in a process with time-outs of
// 250 ms.
const tooLate = 100 * time.Millisecond

// lateness is how late they woke up at worst, as the shim says.
func lateness(out []byte) (worst time.Duration) {
	for _, m := range regexp.MustCompile(`estabtest: this process is (\S+) late`).FindAllSubmatch(out, -1) {
		if d, err := time.ParseDuration(string(m[1])); err == nil {
			worst = max(worst, d)
		}
	}
	return worst
}

// prepare copies the project's module to dir and, if estab's root is given, puts
// estab into its tests.
func (p *project) prepare(t *testing.T, dir, root string) {
	var info struct{ Dir string }
	out, err := goCommand(dir, "mod", "download", "-json", p.module+"@"+p.version)
	if err == nil {
		err = json.Unmarshal(out, &info)
	}
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(info.Dir))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	edit := []string{"mod", "edit", "-go=1.26"} // which estab demands, and changes a few things in older modules
	if root != "" {
		p.exchange(t, dir)
		edit = append(edit, "-require=estab@v0.0.0", "-replace=estab="+root)
	}
	if out, err := goCommand(dir, edit...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// run runs the tests of the project in dir and returns the names of those that
// fail, and how late the process was.
func (p *project) run(t *testing.T, dir string) (failed []string, late time.Duration) {
	args := []string{"test", "-v", "-count=1", "-vet=off", "-timeout=9m"} // -v: what the shim says
	if p.skip != "" {
		args = append(args, "-skip="+p.skip)
	}
	out, err := goCommand(dir, append(args, ".")...)
	failed = failures(out)
	if err != nil && (failed == nil || regexp.MustCompile(`(?m)^panic: `).Match(out)) {
		t.Errorf("go %s: %v", strings.Join(args, " "), err)
	}
	if err != nil {
		t.Logf("%s", out)
	}
	return failed, lateness(out)
}

// isCoin says whether the test, run again and again in dir, sometimes fails.
func (p *project) isCoin(t *testing.T, dir, name string) bool {
	out, _ := goCommand(dir, "test", "-count=30", "-vet=off", "-timeout=4m", "-run=^"+name+"$", ".")
	n := len(failures(out))
	t.Logf("%s fails %d times in up to 30 on the loopback", name, n)
	return n > 0
}

// failures are the names of the tests that failed.
func failures(out []byte) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindAllSubmatch(out, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	return cmd.CombinedOutput()
}

// exchange makes the edits and adds the shim, to the package and to that of its
// external tests.
func (p *project) exchange(t *testing.T, dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	external := false
	for _, name := range names {
		edits := p.files[filepath.Base(name)]
		isTest := strings.HasSuffix(name, "_test.go")
		if isTest {
			edits = slices.Concat(edits, common)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		external = external || regexp.MustCompile(`(?m)^package `+p.pkg+`_test$`).MatchString(text)
		for _, e := range edits {
			text = regexp.MustCompile(e.from).ReplaceAllString(text, e.to)
		}
		if isTest {
			text += usesOf(text)
		}
		write(t, name, text)
	}
	shim, err := os.ReadFile("testdata/shim.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "zz_estab.go"), strings.ReplaceAll(string(shim), "PACKAGE", p.pkg))
	if external {
		write(t, filepath.Join(dir, "zz_estab_test.go"), "package "+p.pkg+"_test\n\nimport "+p.pkg+` "`+p.module+`"

var (
	estabDial            = `+p.pkg+`.Estab.Dial
	estabDialTimeout     = `+p.pkg+`.Estab.DialTimeout
	estabDialTCP         = `+p.pkg+`.Estab.DialTCP
	estabListen          = `+p.pkg+`.Estab.Listen
	estabRPC             = `+p.pkg+`.Estab.RPC
	estabTLS             = `+p.pkg+`.Estab.TLS
	estabHTTPServer      = `+p.pkg+`.Estab.HTTPServer
	estabTLSServer       = `+p.pkg+`.Estab.TLSServer
	estabUnstartedServer = `+p.pkg+`.Estab.UnstartedServer
)
`)
	}
}

// usesOf uses the imports that the edits may have left without use.
func usesOf(text string) string {
	uses := ""
	for _, u := range [][2]string{
		{"net", "net.Conn"}, {"net/http/httptest", "*httptest.Server"}, {"net/rpc", "*rpc.Client"}, {"crypto/tls", "*tls.Conn"},
	} {
		if strings.Contains(text, "\t\""+u[0]+"\"\n") {
			uses += "\nvar _ " + u[1] + "\n"
		}
	}
	return uses
}

// write writes a file, which may be a read-only copy from the module cache.
func write(t *testing.T, name, text string) {
	t.Helper()
	os.Chmod(name, 0o666)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
