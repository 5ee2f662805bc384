import API
import Glibc
import Testing

@testable import CLI

@Suite struct EventLineTests {
    /// 05/12/2019-20:51:08 of this machine's own time.
    private var moment: Double {
        var parts = tm()
        parts.tm_year = 119
        parts.tm_mon = 4
        parts.tm_mday = 12
        parts.tm_hour = 20
        parts.tm_min = 51
        parts.tm_sec = 8
        parts.tm_isdst = -1
        return Double(mktime(&parts))
    }

    private func event(_ module: String?, _ text: String, _ code: Int) -> EventView {
        EventView(
            id: 1, time: moment, category: "info", module: module, text: text, code: code,
            nodeid: "f8891810")
    }

    @Test func eventsReadAsTheInterfaceShowsThem() {
        let created = event("DFS", "volume wp_mysql-data (vd2) created on node f8891810", 1009)
        #expect(
            EventLine.text(created)
                == "05/12/2019-20:51:08 [info] [DFS] volume wp_mysql-data (vd2) created on node f8891810:1009"
        )
    }

    @Test func rebuildLinesCarryNoModule() {
        let rebuilt = event(nil, "volume portainer (vd1) volume rebuild completed, ret:0", 1020)
        #expect(
            EventLine.text(rebuilt)
                == "05/12/2019-20:51:08 [info] volume portainer (vd1) volume rebuild completed, ret:0:1020"
        )
    }

    @Test func theFailoverLineAloneHasASpaceBeforeItsCode() {
        let text = "node (6a41aeba) failover completed. hostname=v4, ip address=192.168.3.69"
        #expect(EventLine.text(event("DFS", text, 1019)).hasSuffix("192.168.3.69 :1019"))
    }
}
