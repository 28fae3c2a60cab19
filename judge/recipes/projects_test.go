package recipes

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// project is a public Go project whose own tests run over estabtest instead of
// the loopback.
type project struct {
	module, version string
	pkg             string // the package's name
	test            string // go test -run; "" is all
	skip            string // go test -skip
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
	{`&http\.Transport\{`, `&http.Transport{DialContext: estabDialContext, `},
	{`\bhttptest\.NewServer\(`, `estabHTTPServer(`},
	{`\bhttptest\.NewTLSServer\(`, `estabTLSServer(`},
	{`\bhttptest\.NewUnstartedServer\(`, `estabUnstartedServer(`},
}

var projects = []project{
	{module: "github.com/hashicorp/yamux", version: "v0.1.2", pkg: "yamux"},
	{module: "github.com/xtaci/smux", version: "v1.5.58", pkg: "smux"},
	{module: "github.com/soheilhy/cmux", version: "v0.1.5", pkg: "cmux"},
	{module: "github.com/pires/go-proxyproto", version: "v0.15.0", pkg: "proxyproto"},
	{module: "github.com/hashicorp/go-retryablehttp", version: "v0.7.8", pkg: "retryablehttp", files: map[string][]edit{
		"client.go": {{`cleanhttp\.DefaultPooledClient\(\)`, `func() *http.Client {
			c := cleanhttp.DefaultPooledClient()
			c.Transport.(*http.Transport).DialContext = estabDialContext
			return c
		}()`}},
	}},
	{module: "github.com/gorilla/websocket", version: "v1.5.3", pkg: "websocket", files: map[string][]edit{
		"client.go":             {{`&net\.Dialer\{\}`, `estabDialer{}`}},
		"x_net_proxy.go":        {{`\bnet\.Dial\(`, `estabDial(`}},
		"client_server_test.go": {{`&net\.Dialer\{\}`, `estabDialer{}`}},
	}},
}

// The tests of other projects pass over an estab network. It downloads them,
// and so runs only with ESTAB_LONG=1. ESTAB_NETEM makes the network worse.
func TestProjects(t *testing.T) {
	if os.Getenv("ESTAB_LONG") == "" || testing.Short() {
		t.Skip("downloads other projects: ESTAB_LONG=1 runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		t.Run(p.pkg, func(t *testing.T) { p.run(t, root) })
	}
}

func (p *project) run(t *testing.T, root string) {
	dir := t.TempDir()
	goCommand := func(args ...string) []byte {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(goCommand("mod", "download", "-json", p.module+"@"+p.version), &info); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(info.Dir)); err != nil {
		t.Fatal(err)
	}
	p.exchange(t, dir)
	goCommand("mod", "edit", "-go=1.26", "-require=estab@v0.0.0", "-replace=estab="+root)
	args := []string{"test", "-count=1", "-timeout=5m"}
	if p.test != "" {
		args = append(args, "-run="+p.test)
	}
	if p.skip != "" {
		args = append(args, "-skip="+p.skip)
	}
	t.Logf("%s", goCommand(append(args, ".")...))
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
			edits = append(edits, common...)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		external = external || strings.Contains(text, "\npackage "+p.pkg+"_test\n") || strings.HasPrefix(text, "package "+p.pkg+"_test\n")
		for _, e := range edits {
			text = regexp.MustCompile(e.from).ReplaceAllString(text, e.to)
		}
		if isTest { // imports that aren't needed any more
			for path, use := range map[string]string{
				"net": "net.Conn", "net/http/httptest": "*httptest.Server", "net/rpc": "*rpc.Client",
			} {
				if strings.Contains(text, "\t\""+path+"\"\n") {
					text += "\nvar _ " + use + "\n"
				}
			}
		}
		write(t, name, text)
	}
	shim, err := os.ReadFile("testdata/shim.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "zz_estab.go"), strings.ReplaceAll(string(shim), "PACKAGE", p.pkg))
	if external {
		write(t, filepath.Join(dir, "zz_estab_test.go"), strings.ReplaceAll(string(shim), "PACKAGE", p.pkg+"_test"))
	}
}

// write writes a file, which may be a read-only copy from the module cache.
func write(t *testing.T, name, text string) {
	t.Helper()
	os.Chmod(name, 0o666)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
