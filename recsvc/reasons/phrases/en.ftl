# The phrase bank: the best sentences of the lexicon, plain ones first. One message a claim; attributes named
# warm_ are for the warm tone, all others for the neutral one.

repeat_purchase-relational =
    .a = You bought this before.
    .b = You ordered this before.
    .c = You've bought this before.
    .warm_a = You ordered this before.
    .warm_b = You've bought this before.
    .warm_c = You've ordered this before.

repeat_purchase-relational-many =
    .a = You've bought this { $times }.
    .b = You've ordered this { $times }.
    .c = You bought this { $times } before.
    .warm_a = You've ordered this { $times }.
    .warm_b = You bought this { $times } before.
    .warm_c = You ordered this { $times } before.

repeat_purchase-relational-ago =
    .a = You last bought this { $ago }.
    .b = You last ordered this { $ago }.
    .c = You bought this { $ago }.
    .warm_a = You last ordered this { $ago }.
    .warm_b = You bought this { $ago }.
    .warm_c = You ordered this { $ago }.

repeat_purchase-relational-many_ago =
    .a = You've bought this { $times }, most recently { $ago }.
    .b = You've bought this { $times }, last { $ago }.
    .c = You've ordered this { $times }, most recently { $ago }.
    .warm_a = You've bought this { $times }, last { $ago }.
    .warm_b = You've ordered this { $times }, most recently { $ago }.
    .warm_c = You've ordered this { $times }, last { $ago }.

repeat_interval-relational =
    .a = You usually buy this about every { $every }; it's been { $since }.
    .b = You usually buy this about every { $every }, and it's been { $since }.
    .c = You usually order this about every { $every }; it's been { $since }.
    .warm_a = You usually buy this about every { $every }, and it's been { $since }.
    .warm_b = You usually order this about every { $every }; it's been { $since }.
    .warm_c = You usually order this about every { $every }, and it's been { $since }.

history_item-causal =
    .a = Because you bought { $item }.
    .b = Because you ordered { $item }.
    .c = Because you've bought { $item }.
    .warm_a = Because you ordered { $item }.
    .warm_b = Because you've bought { $item }.
    .warm_c = Because you've ordered { $item }.

history_item-causal-viewed =
    .a = Because you looked at { $item }.
    .b = Because you're looking at { $item }.
    .warm_a = Because you're looking at { $item }.

history_item-causal-cart =
    .a = Because you have { $item } in your cart.
    .b = Because { $item } is in your cart.
    .warm_a = Because { $item } is in your cart.

history_item-contributory =
    .a = You bought { $item }, so you might like this.
    .b = You ordered { $item }, so you might like this.
    .c = You've bought { $item }, so you might like this.
    .warm_a = You ordered { $item }, so you might like this.
    .warm_b = You've bought { $item }, so you might like this.
    .warm_c = You've bought { $item }, so you might like this too.

history_item-contributory-viewed =
    .a = You looked at { $item }, so you might like this.
    .b = You're looking at { $item }, so you might like this.
    .warm_a = You're looking at { $item }, so you might like this.

history_item-contributory-cart =
    .a = You have { $item } in your cart, so you might like this.
    .warm_a = You have { $item } in your cart, so you might like this.

similar_item-relational =
    .a = This is similar to { $item }, which you bought.
    .b = This is similar to { $item }, which you ordered.
    .c = This is like { $item }, which you bought.
    .warm_a = This is similar to { $item }, which you ordered.
    .warm_b = This is like { $item }, which you bought.
    .warm_c = This is like { $item }, which you ordered.

similar_item-relational-viewed =
    .a = This is similar to { $item }, which you looked at.
    .b = This is similar to { $item }, which you're looking at.
    .warm_a = This is similar to { $item }, which you're looking at.

similar_item-relational-cart =
    .a = This is similar to { $item }, which is in your cart.
    .warm_a = This is similar to { $item }, which is in your cart.

co_purchase-relational =
    .a = { $count } of the { $people } people who bought { $item } in the last { $period } also bought this.
    .b = Like you, { $people } people bought { $item } in the last { $period }, and { $count } of them also bought this.
    .c = Like you, { $people } people bought { $item } in the last { $period }, and { $count } of them bought this too.
    .warm_a = Like you, { $people } people bought { $item } in the last { $period }, and { $count } of them also bought this.
    .warm_b = Like you, { $people } people bought { $item } in the last { $period }, and { $count } of them bought this too.

co_purchase-relational-viewed =
    .a = You looked at { $item }: { $count } of the { $people } people who bought it in the last { $period } also bought this.
    .b = { $item } was bought by { $people } people in the last { $period }, and { $count } of them also bought this.
    .warm_a = { $item } was bought by { $people } people in the last { $period }, and { $count } of them also bought this.

co_purchase-relational-cart =
    .a = You have { $item } in your cart: { $count } of the { $people } people who bought it in the last { $period } also bought this.
    .warm_a = You have { $item } in your cart: { $count } of the { $people } people who bought it in the last { $period } also bought this.

history_item-causal-group =
    .a = Because you bought { $item }
    .b = Because you ordered { $item }
    .warm_a = Because you ordered { $item }

history_item-causal-group_viewed =
    .a = Because you looked at { $item }
    .warm_a = Because you looked at { $item }

history_item-causal-group_cart =
    .a = Because you have { $item } in your cart
    .warm_a = Because you have { $item } in your cart

history_item-contributory-group =
    .a = You bought { $item }, so you might like these
    .warm_a = You bought { $item }, so you might like these

history_item-contributory-group_viewed =
    .a = You looked at { $item }, so you might like these
    .warm_a = You looked at { $item }, so you might like these

history_item-contributory-group_cart =
    .a = You have { $item } in your cart, so you might like these
    .warm_a = You have { $item } in your cart, so you might like these

similar_item-relational-group =
    .a = Similar to { $item }, which you bought
    .warm_a = Similar to { $item }, which you bought

similar_item-relational-group_viewed =
    .a = Similar to { $item }, which you looked at
    .warm_a = Similar to { $item }, which you looked at

similar_item-relational-group_cart =
    .a = Similar to { $item }, which is in your cart
    .warm_a = Similar to { $item }, which is in your cart

co_purchase-relational-group =
    .a = People who bought { $item }, as you did, also bought these
    .warm_a = People who bought { $item }, as you did, also bought these

co_purchase-relational-group_viewed =
    .a = People who bought { $item }, which you looked at, also bought these
    .warm_a = People who bought { $item }, which you looked at, also bought these

co_purchase-relational-group_cart =
    .a = People who bought { $item }, which is in your cart, also bought these
    .warm_a = People who bought { $item }, which is in your cart, also bought these

brand-relational =
    .a = You've bought from { $value } { $times }.
    .b = You've ordered from { $value } { $times }.
    .warm_a = You've ordered from { $value } { $times }.

category-relational =
    .a = You've bought { $value } { $times }.
    .b = You've ordered { $value } { $times }.
    .warm_a = You've ordered { $value } { $times }.

category-relational-department =
    .a = You've shopped in { $value } { $times }.
    .b = You've bought in { $value } { $times }.
    .warm_a = You've bought in { $value } { $times }.

attribute-relational-colour =
    .a = You've bought things in { $value } { $times }.
    .b = You've chosen { $value } { $times }.
    .warm_a = You've chosen { $value } { $times }.

attribute-relational-material =
    .a = You've bought things made of { $value } { $times }.
    .warm_a = You've bought things made of { $value } { $times }.

attribute-relational-style =
    .a = You've bought { $value } style { $times }.
    .warm_a = You've bought { $value } style { $times }.

attribute-relational-use =
    .a = You've bought things for { $value } { $times }.
    .warm_a = You've bought things for { $value } { $times }.

profile-neutral-likes =
    .a = You like { $value }.
    .b = You told us that you like { $value }.
    .c = You told us you like { $value }.
    .warm_a = You told us that you like { $value }.
    .warm_b = You told us you like { $value }.

profile-neutral-mentioned =
    .a = Your profile mentions { $value }.
    .b = Your profile says { $value }.
    .warm_a = Your profile says { $value }.

popularity-neutral =
    .a = { $count } people bought this in the last { $period }.
    .b = { $count } people chose this in the last { $period }.
    .c = { $count } shoppers bought this in the last { $period }.
    .warm_a = { $count } people chose this in the last { $period }.
    .warm_b = { $count } shoppers bought this in the last { $period }.
    .warm_c = { $count } shoppers chose this in the last { $period }.
