package gvisor
import ("reflect";"fmt"; gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp")
func dbgsnd(e *gtcp.Endpoint) *string {
 v := reflect.ValueOf(e).Elem().FieldByName("snd")
 s := fmt.Sprintf("%+v", v.Elem())
 return &s
}
