import Testing

@testable import Restoring

/// Constraints of pg_dump taken apart; everything that is not exactly the known form stays whole.
@Suite struct ConstraintSQLTests {
    @Test(
        "a primary key or unique constraint becomes an index and a constraint that takes it over",
        arguments: [
            (
                "ALTER TABLE ONLY public.accounts\n    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id)",
                "CREATE UNIQUE INDEX accounts_pkey ON ONLY public.accounts USING btree (id)",
                "ALTER TABLE ONLY public.accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY USING INDEX accounts_pkey"
            ),
            (
                "ALTER TABLE ONLY \"My Schema\".\"a b\"\n    ADD CONSTRAINT \"c d\" UNIQUE (x, y)",
                "CREATE UNIQUE INDEX \"c d\" ON ONLY \"My Schema\".\"a b\" USING btree (x, y)",
                "ALTER TABLE ONLY \"My Schema\".\"a b\" ADD CONSTRAINT \"c d\" UNIQUE USING INDEX \"c d\""
            ),
        ]
    )
    func unique(statement: String, index: String, attach: String) {
        #expect(ConstraintSQL.unique(statement) == .init(index: index, attach: attach))
    }

    @Test(
        "what has any other form is run whole",
        arguments: [
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (a) INCLUDE (b)",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c UNIQUE NULLS NOT DISTINCT (a)",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c EXCLUDE USING gist (a WITH &&)",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (\"odd\"\"name\")",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (a), DROP COLUMN b",
            "ALTER TABLE public.t ADD CONSTRAINT c PRIMARY KEY (a)",
            "ALTER TABLE ONLY public.t; DROP TABLE x ADD CONSTRAINT c PRIMARY KEY (a)",
            "ALTER TABLE ONLY public.t ADD CONSTRAINT c -- x\n PRIMARY KEY (a)",
            "ALTER TABLE ONLY \"open ADD CONSTRAINT c PRIMARY KEY (a)",
            "CREATE INDEX a ON public.t USING btree (b)",
            "",
        ]
    )
    func whole(statement: String) {
        #expect(ConstraintSQL.unique(statement) == nil)
        #expect(ConstraintSQL.foreignKey(statement) == nil)
    }

    @Test("a foreign key becomes one that is not checked yet, and its check")
    func foreignKey() {
        let parts = ConstraintSQL.foreignKey(
            "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT fk FOREIGN KEY (b_id) REFERENCES public.b(id) ON DELETE CASCADE"
        )
        #expect(
            parts?.add
                == "ALTER TABLE ONLY public.a ADD CONSTRAINT fk FOREIGN KEY (b_id) REFERENCES public.b(id) ON DELETE CASCADE NOT VALID"
        )
        #expect(parts?.validate == "ALTER TABLE ONLY public.a VALIDATE CONSTRAINT fk")
        let unchecked = "ALTER TABLE ONLY public.a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES public.b(id) NOT VALID"
        #expect(ConstraintSQL.foreignKey(unchecked) == nil)
    }
}
