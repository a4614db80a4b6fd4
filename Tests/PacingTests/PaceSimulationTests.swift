import Glibc
import MediasyncTesting
import Pacing
import Testing

/// Whole runs in made-up worlds, on a clock that costs nothing. `MEDIASYNC_FULL_SIMULATION=1`
/// adds one of full size, which takes minutes in a debug build.
@Suite struct PaceSimulationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var world = PaceSimulation.World()
        var options = PaceOptions()

        init(_ description: String, _ change: (inout PaceSimulation.World, inout PaceOptions) -> Void) {
            testDescription = description
            change(&world, &options)
        }
    }

    static let cases: [Case] = [
        Case("one large host decides") { _, _ in },
        Case("the slots decide") { world, options in
            world.zipf = 0.5
            options.inFlight = 16
        },
        Case("a third of the hosts is dead") { world, options in
            world.deadPercent = 30
            world.tarpitPercent = 5
            world.zipf = 0.5
            options.inFlight = 24
        },
        Case("everybody throttles") { world, _ in
            world.throttledPercent = 88
            world.throttleRequests = 60
            world.throttleSeconds = 30
        },
        Case("hosts that answer well get more") { world, options in
            options.perHostMaximum = 24
            options.inFlight = 48
            world.items = 40_000
            world.deadPercent = 3
            world.tarpitPercent = 0
            world.throttledPercent = 0
        },
        Case("hardly more hosts than slots") { world, options in
            world.hosts = 40
            world.items = 8000
            options.inFlight = 32
        },
    ]

    @Test("a run ends within a tenth of the earliest possible time, politely", arguments: cases)
    func makespan(of example: Case) {
        for seed in [1, 2] as [UInt64] {
            var world = example.world
            world.seed = seed
            var simulation = PaceSimulation(world, example.options)
            let result = simulation.run()
            #expect(result.violations == [], "seed \(seed)")
            #expect(result.ended == world.items, "seed \(seed): \(result)")
            #expect(result.makespanSeconds <= 1.1 * result.boundSeconds, "seed \(seed): \(result)")
            // Who does not answer is left alone: the first tries, and one more.
            #expect(result.deadHostStarts <= 3 * result.deadHosts, "seed \(seed): \(result)")
            #expect(result.done + result.gone > 0)
        }
    }

    @Test(
        "a hundred thousand hosts with a million items",
        .enabled(if: getenv("MEDIASYNC_FULL_SIMULATION") != nil, "takes minutes: set MEDIASYNC_FULL_SIMULATION=1")
    )
    func fullSize() {
        for zipf in [1, 0.6] {
            var world = PaceSimulation.World()
            world.hosts = 100_000
            world.items = 1_000_000
            world.zipf = zipf
            var simulation = PaceSimulation(world, PaceOptions())
            let result = simulation.run()
            print("zipf \(zipf): \(result)")
            #expect(result.violations == [])
            #expect(result.ended == world.items)
            #expect(result.makespanSeconds <= 1.1 * result.boundSeconds, "\(result)")
        }
    }
}
